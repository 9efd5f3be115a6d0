// The run-time compiler's functions. Programs are compiled by g++ into shared objects; those are handed out as cubins, and
// kept beside this library under the hash of their text.
#include <dlfcn.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <sstream>

#include "program-text.h"

#define EXPORTED extern "C" __attribute__((visibility("default")))

extern char** environ;

namespace software {

constexpr int success = 0, invalidInput = 3, invalidProgram = 4, invalidOption = 5, compilationFailed = 6, internalError = 11;

struct Program {
  std::string source, name, log, image, path;
  bool real = true;
};

static const char* const errorNames[] = {
    "NVRTC_SUCCESS", "NVRTC_ERROR_OUT_OF_MEMORY", "NVRTC_ERROR_PROGRAM_CREATION_FAILURE", "NVRTC_ERROR_INVALID_INPUT",
    "NVRTC_ERROR_INVALID_PROGRAM", "NVRTC_ERROR_INVALID_OPTION", "NVRTC_ERROR_COMPILATION",
    "NVRTC_ERROR_BUILTIN_OPERATION_FAILURE", "NVRTC_ERROR_NO_NAME_EXPRESSIONS_AFTER_COMPILATION",
    "NVRTC_ERROR_NO_LOWERED_NAMES_BEFORE_COMPILATION", "NVRTC_ERROR_NAME_EXPRESSION_NOT_VALID", "NVRTC_ERROR_INTERNAL_ERROR"};

/** The folder of this library and of the headers that programs include. */
static const std::string& folder() {
  static const std::string found = [] {
    Dl_info information;
    dladdr((void*)&folder, &information);
    std::string path = information.dli_fname;
    return path.substr(0, path.rfind('/'));
  }();
  return found;
}

static std::string hashOf(const std::string& text) {
  unsigned __int128 hash = ((unsigned __int128)0x6c62272e07bb0142ull << 64) | 0x62b821756295c58dull;
  const unsigned __int128 prime = ((unsigned __int128)1 << 88) | 0x13b;
  for (unsigned char byte : text) hash = (hash ^ byte) * prime;
  char digits[33];
  snprintf(digits, sizeof digits, "%016llx%016llx", (unsigned long long)(hash >> 64), (unsigned long long)hash);
  return digits;
}

static std::string readFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream content;
  content << file.rdbuf();
  return content.str();
}

/** Runs a command, its output into a file; gives its exit status. */
static int run(const std::vector<std::string>& command, const std::string& output) {
  std::vector<char*> arguments;
  for (const std::string& argument : command) arguments.push_back((char*)argument.c_str());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  pid_t child;
  int error = posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error) return -1;
  int status = -1;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int compile(Program& program, int architecture, const std::vector<std::string>& flags) {
  ProgramText translated = translate(program.source, program.name, architecture);
  std::string identity = translated.text;
  for (const std::string& flag : flags) identity += "\n" + flag;
  std::string kernels = folder() + "/kernels", name = kernels + "/" + hashOf(identity);
  program.path = name + ".so";
  struct stat known;
  if (stat(program.path.c_str(), &known)) {
    mkdir(kernels.c_str(), 0755);
    static std::atomic<int> counter = 0;
    std::string own = name + "." + std::to_string(getpid()) + "-" + std::to_string(counter++);
    std::ofstream(own + ".cpp", std::ios::binary) << translated.text;
    std::vector<std::string> command = {
        SOFTWARE_COMPILER, "-std=c++17", "-O1", "-march=native", "-shared", "-fPIC", "-fvisibility=hidden", "-w", "-pipe",
        "-fno-exceptions", "-fno-rtti", "-fno-asynchronous-unwind-tables", "-fno-stack-protector", "-fwrapv",
        "-fno-strict-aliasing", "-fno-math-errno", "-fno-trapping-math",
        "-fsanitize=alignment,bounds,shift-exponent,integer-divide-by-zero", "-nostdlib", "-I" + folder() + "/compiler"};
    command.insert(command.end(), flags.begin(), flags.end());
    command.insert(command.end(), {own + ".cpp", "-o", own + ".so", "-lm"});
    int status = run(command, own + ".log");
    program.log = readFile(own + ".log");
    if (status == 0) rename((own + ".so").c_str(), program.path.c_str());
    for (const char* ending : {".cpp", ".log", ".so"}) unlink((own + ending).c_str());
    if (status < 0) {
      program.log = "the compiler " SOFTWARE_COMPILER " could not be started\n";
      return internalError;
    }
    if (status) return compilationFailed;
  } else {
    // What is used stays when old ones are removed.
    utimes(program.path.c_str(), nullptr);
  }
  program.image = readFile(program.path);
  return program.image.empty() ? internalError : success;
}

static bool startsWith(const std::string& text, const char* start) { return text.compare(0, strlen(start), start) == 0; }

}  // namespace software

using namespace software;

EXPORTED const char* nvrtcGetErrorString(int error) {
  return error >= 0 && error < 12 ? errorNames[error] : "NVRTC_ERROR unknown";
}

EXPORTED int nvrtcVersion(int* major, int* minor) {
  if (!major || !minor) return invalidInput;
  *major = 13;
  *minor = 0;
  return success;
}

static const int architectures[] = {75, 80, 86, 87, 88, 89, 90, 100, 103, 110, 120, 121};

EXPORTED int nvrtcGetNumSupportedArchs(int* count) {
  *count = sizeof architectures / sizeof *architectures;
  return success;
}

EXPORTED int nvrtcGetSupportedArchs(int* supported) {
  memcpy(supported, architectures, sizeof architectures);
  return success;
}

EXPORTED int nvrtcCreateProgram(Program** program, const char* source, const char* name, int headerCount, const char* const*, const char* const*) {
  if (!program || !source || headerCount) return invalidInput;
  *program = new Program;
  (*program)->source = source;
  (*program)->name = name && *name ? name : "default_program";
  return success;
}

EXPORTED int nvrtcDestroyProgram(Program** program) {
  if (!program || !*program) return invalidProgram;
  delete *program;
  *program = nullptr;
  return success;
}

EXPORTED int nvrtcCompileProgram(Program* program, int optionCount, const char* const* options) {
  if (!program) return invalidProgram;
  int architecture = 75;
  std::vector<std::string> flags;
  const char* contraction = "-ffp-contract=fast";
  for (int i = 0; i < optionCount; i++) {
    std::string option = options[i];
    size_t value = option.find('=');
    if (startsWith(option, "--gpu-architecture=") || startsWith(option, "-arch=")) {
      std::string name = option.substr(value + 1);
      program->real = startsWith(name, "sm_");
      if (!program->real && !startsWith(name, "compute_")) {
        program->log = "nvrtc: error: invalid value for --gpu-architecture (-arch)\n";
        return invalidOption;
      }
      architecture = atoi(name.c_str() + name.find('_') + 1);
    } else if (startsWith(option, "-D")) {
      flags.push_back(option);
    } else if (startsWith(option, "--define-macro=")) {
      flags.push_back("-D" + option.substr(value + 1));
    } else if (option == "--fmad=false" || option == "-fmad=false") {
      contraction = "-ffp-contract=off";
    } else {
      bool known = false;
      for (const char* accepted : {"--std=", "-std=", "--use_fast_math", "-use_fast_math", "--fmad=", "-fmad=", "--ftz=", "--prec-div=",
                                   "--prec-sqrt=", "--extra-device-vectorization", "--maxrregcount=", "-lineinfo", "--generate-line-info",
                                   "--device-as-default-execution-space", "-default-device", "--disable-warnings", "-w", "--restrict",
                                   "--display-error-number", "--no-display-error-number", "--diag-suppress=", "--split-compile=", "--minimal",
                                   "-dopt=", "--dopt=", "--device-debug", "-G"})
        known = known || startsWith(option, accepted);
      if (!known) {
        program->log = "nvrtc: error: unrecognized option " + option + " found\n";
        return invalidOption;
      }
    }
  }
  flags.push_back(contraction);
  return compile(*program, architecture, flags);
}

EXPORTED int nvrtcGetProgramLogSize(Program* program, size_t* bytes) {
  if (!program) return invalidProgram;
  *bytes = program->log.size() + 1;
  return success;
}

EXPORTED int nvrtcGetProgramLog(Program* program, char* log) {
  if (!program) return invalidProgram;
  memcpy(log, program->log.c_str(), program->log.size() + 1);
  return success;
}

EXPORTED int nvrtcGetCUBINSize(Program* program, size_t* bytes) {
  if (!program) return invalidProgram;
  *bytes = program->real ? program->image.size() : 0;
  return success;
}

EXPORTED int nvrtcGetCUBIN(Program* program, char* image) {
  if (!program || program->image.empty()) return invalidProgram;
  if (program->real) memcpy(image, program->image.data(), program->image.size());
  return success;
}

static std::string assembly(const Program* program) { return "// software device: " + program->path + "\n"; }

EXPORTED int nvrtcGetPTXSize(Program* program, size_t* bytes) {
  if (!program || program->image.empty()) return invalidProgram;
  *bytes = assembly(program).size() + 1;
  return success;
}

EXPORTED int nvrtcGetPTX(Program* program, char* text) {
  if (!program || program->image.empty()) return invalidProgram;
  memcpy(text, assembly(program).c_str(), assembly(program).size() + 1);
  return success;
}
