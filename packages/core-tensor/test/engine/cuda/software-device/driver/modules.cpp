// Loads compiled programs: shared objects that the software compiler hands out as its cubin.
#include <dlfcn.h>
#include <elf.h>
#include <unistd.h>

#include <cstring>

#include "device.h"

namespace software {

/** The bytes of an ELF file, whose table of sections comes last. */
static size_t imageBytes(const void* image) {
  const Elf64_Ehdr* header = (const Elf64_Ehdr*)image;
  return header->e_shoff + (size_t)header->e_shentsize * header->e_shnum;
}

Result loadModule(const void* image, LoadedModule** loaded) {
  if (!image) return failure(invalidValue, "no image");
  std::string path;
  bool temporary = false;
  constexpr const char* pathMark = "// software device: ";
  if (!memcmp(image, ELFMAG, SELFMAG)) {
    constexpr uint16_t cuda = 190;
    if (((const Elf64_Ehdr*)image)->e_machine == cuda) return failure(noBinaryForGpu, "the image is for a real card");
    char name[] = "/tmp/ocelli-kernels-XXXXXX";
    int file = mkstemp(name);
    if (file < 0) return failure(invalidImage, "no temporary file can be written");
    size_t bytes = imageBytes(image), written = 0;
    while (written < bytes) {
      ssize_t more = write(file, (const char*)image + written, bytes - written);
      if (more <= 0) break;
      written += (size_t)more;
    }
    close(file);
    path = name;
    temporary = true;
  } else if (!strncmp((const char*)image, pathMark, strlen(pathMark))) {
    const char* start = (const char*)image + strlen(pathMark);
    path.assign(start, strcspn(start, "\n"));
  } else {
    return failure(invalidImage, "the image is neither a cubin nor a text of the software compiler");
  }
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  std::string reason = library ? "" : dlerror();
  if (temporary) unlink(path.c_str());
  if (!library) return failure(invalidImage, reason);
  const Module* module = (const Module*)dlsym(library, "softwareModule");
  if (!module || module->magic != moduleMagic) {
    dlclose(library);
    return failure(invalidImage, "the image was not made by the software compiler");
  }
  if (module->architecture / 10 != settings["capability"] / 10 || module->architecture > settings["capability"]) {
    int architecture = module->architecture;
    dlclose(library);
    return failure(noBinaryForGpu, "the image is for sm_" + std::to_string(architecture) + ", the device is sm_" + std::to_string(settings["capability"]));
  }
  auto made = std::make_unique<LoadedModule>();
  made->library = library;
  made->module = module;
  for (int i = 0; i < module->kernelCount; i++) {
    auto function = std::make_unique<Function>();
    *function = {&module->kernels[i], made.get(), 48 << 10};
    made->functions[module->kernels[i].name] = std::move(function);
  }
  *loaded = made.release();
  return success;
}

void unloadModule(LoadedModule* module) {
  dlclose(module->library);
  delete module;
}

}  // namespace software
