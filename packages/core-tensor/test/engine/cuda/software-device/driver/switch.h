// Switching between stacks: registers that a function must keep are pushed, the stack pointers exchanged.
#pragma once
#include <cstddef>

namespace software {

#if defined(__x86_64__)

/** Keeps where this stack stands in `from` and continues at `to`. */
extern "C" void softwareSwitch(void** from, void* to);
__asm__(
    ".text\n"
    ".hidden softwareSwitch\n"
    ".globl softwareSwitch\n"
    ".type softwareSwitch, @function\n"
    "softwareSwitch:\n"
    "  pushq %rbp\n  pushq %rbx\n  pushq %r12\n  pushq %r13\n  pushq %r14\n  pushq %r15\n"
    "  movq %rsp, (%rdi)\n"
    "  movq %rsi, %rsp\n"
    "  popq %r15\n  popq %r14\n  popq %r13\n  popq %r12\n  popq %rbx\n  popq %rbp\n"
    "  ret\n"
    ".size softwareSwitch, .-softwareSwitch\n");

inline void switchContext(void** from, void* to) { softwareSwitch(from, to); }

/** A stack on which `main`, which never returns, begins at the first switch to it. */
inline void* makeContext(char* stack, size_t bytes, void (*main)()) {
  void** top = (void**)(stack + bytes);
  // As after a call: the stack is 8 bytes off a multiple of 16.
  *--top = nullptr;
  *--top = (void*)main;
  for (int kept = 0; kept < 6; kept++) *--top = nullptr;
  return top;
}

#else

#include <ucontext.h>

struct PortableContext {
  ucontext_t registers;
};

inline void switchContext(void** from, void* to) {
  ucontext_t here;
  *from = &here;
  swapcontext(&here, (ucontext_t*)to);
}

inline void* makeContext(char* stack, size_t bytes, void (*main)()) {
  ucontext_t* made = new ucontext_t;
  getcontext(made);
  made->uc_stack.ss_sp = stack;
  made->uc_stack.ss_size = bytes;
  made->uc_link = nullptr;
  makecontext(made, main, 0);
  return made;
}

#endif

}  // namespace software
