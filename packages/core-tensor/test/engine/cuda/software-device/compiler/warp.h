// Functions that the lanes of a warp call together.
#pragma once

namespace software {

struct Shuffle {
  unsigned long long value, result;
  int source;
};

inline void completeShuffle(void** lanes, unsigned present) {
  for (int lane = 0; lane < 32; lane++) {
    if (!(present >> lane & 1)) continue;
    Shuffle* mine = (Shuffle*)lanes[lane];
    // What a lane that takes no part would have given is undefined.
    mine->result = present >> mine->source & 1 ? ((Shuffle*)lanes[mine->source])->value : ~0ull;
  }
}

template <class T> T shuffle(unsigned mask, T value, int source, const char* operation) {
  static_assert(sizeof(T) <= 8, "a value of at most 8 bytes");
  Shuffle mine = {0, 0, source};
  __builtin_memcpy(&mine.value, &value, sizeof(T));
  softwareRuntime->warp(mask, operation, &mine, completeShuffle);
  __builtin_memcpy(&value, &mine.result, sizeof(T));
  return value;
}

struct Vote {
  unsigned long long value;
  unsigned result;
};

inline void completeBallot(void** lanes, unsigned present) {
  unsigned votes = 0;
  for (int lane = 0; lane < 32; lane++)
    if (present >> lane & 1 && ((Vote*)lanes[lane])->value) votes |= 1u << lane;
  for (int lane = 0; lane < 32; lane++)
    if (present >> lane & 1) ((Vote*)lanes[lane])->result = votes;
}

inline void completeMatch(void** lanes, unsigned present) {
  for (int lane = 0; lane < 32; lane++) {
    if (!(present >> lane & 1)) continue;
    Vote* mine = (Vote*)lanes[lane];
    mine->result = 0;
    for (int other = 0; other < 32; other++)
      if (present >> other & 1 && ((Vote*)lanes[other])->value == mine->value) mine->result |= 1u << other;
  }
}

struct Reduction {
  unsigned value, result;
  unsigned (*combine)(unsigned, unsigned);
};

inline void completeReduction(void** lanes, unsigned present) {
  int first = __builtin_ctz(present);
  unsigned result = ((Reduction*)lanes[first])->value;
  for (int lane = first + 1; lane < 32; lane++)
    if (present >> lane & 1) result = ((Reduction*)lanes[lane])->combine(result, ((Reduction*)lanes[lane])->value);
  for (int lane = 0; lane < 32; lane++)
    if (present >> lane & 1) ((Reduction*)lanes[lane])->result = result;
}

inline unsigned reduce(unsigned mask, unsigned value, unsigned (*combine)(unsigned, unsigned), const char* operation) {
  Reduction mine = {value, 0, combine};
  softwareRuntime->warp(mask, operation, &mine, completeReduction);
  return mine.result;
}

inline void completeNothing(void**, unsigned) {}

}  // namespace software

// Sources as PTX's shfl chooses them: a lane whose source lies beyond its segment of `width` lanes reads itself.
template <class T> static inline T __shfl_sync(unsigned mask, T value, int source, int width = 32) {
  int lane = (int)softwareRuntime->lane();
  return software::shuffle(mask, value, (lane & ~(width - 1)) | (source & (width - 1)), "__shfl_sync");
}
template <class T> static inline T __shfl_xor_sync(unsigned mask, T value, int bits, int width = 32) {
  int lane = (int)softwareRuntime->lane(), source = lane ^ bits;
  return software::shuffle(mask, value, source <= (lane | (width - 1)) && source < 32 ? source : lane, "__shfl_xor_sync");
}
template <class T> static inline T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32) {
  int lane = (int)softwareRuntime->lane(), source = lane - (int)delta;
  return software::shuffle(mask, value, source >= (lane & ~(width - 1)) ? source : lane, "__shfl_up_sync");
}
template <class T> static inline T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32) {
  int lane = (int)softwareRuntime->lane(), source = lane + (int)delta;
  return software::shuffle(mask, value, source <= (lane | (width - 1)) ? source : lane, "__shfl_down_sync");
}
static inline void __syncwarp(unsigned mask = 0xffffffffu) {
  softwareRuntime->warp(mask, "__syncwarp", nullptr, software::completeNothing);
}
static inline unsigned __ballot_sync(unsigned mask, int predicate) {
  software::Vote mine = {predicate != 0, 0};
  softwareRuntime->warp(mask, "__ballot_sync", &mine, software::completeBallot);
  return mine.result;
}
static inline int __any_sync(unsigned mask, int predicate) { return __ballot_sync(mask, predicate) != 0; }
static inline int __all_sync(unsigned mask, int predicate) { return __ballot_sync(mask, !predicate) == 0; }
template <class T> static inline unsigned __match_any_sync(unsigned mask, T value) {
  software::Vote mine = {0, 0};
  __builtin_memcpy(&mine.value, &value, sizeof(T));
  softwareRuntime->warp(mask, "__match_any_sync", &mine, software::completeMatch);
  return mine.result;
}
static inline unsigned __reduce_add_sync(unsigned mask, unsigned value) {
  return software::reduce(mask, value, [](unsigned x, unsigned y) { return x + y; }, "__reduce_add_sync");
}
static inline int __reduce_add_sync(unsigned mask, int value) { return (int)__reduce_add_sync(mask, (unsigned)value); }
static inline unsigned __reduce_max_sync(unsigned mask, unsigned value) {
  return software::reduce(mask, value, [](unsigned x, unsigned y) { return x > y ? x : y; }, "__reduce_max_sync");
}
static inline int __reduce_max_sync(unsigned mask, int value) {
  return (int)(__reduce_max_sync(mask, (unsigned)value ^ 0x80000000u) ^ 0x80000000u);
}
static inline unsigned __reduce_min_sync(unsigned mask, unsigned value) { return ~__reduce_max_sync(mask, ~value); }
static inline int __reduce_min_sync(unsigned mask, int value) { return ~__reduce_max_sync(mask, ~value); }
static inline unsigned __reduce_or_sync(unsigned mask, unsigned value) {
  return software::reduce(mask, value, [](unsigned x, unsigned y) { return x | y; }, "__reduce_or_sync");
}
static inline unsigned __reduce_and_sync(unsigned mask, unsigned value) { return ~__reduce_or_sync(mask, ~value); }
