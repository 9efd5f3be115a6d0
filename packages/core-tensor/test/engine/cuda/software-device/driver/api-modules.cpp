// The driver's functions for programs and launches.
#include <cstring>

#include "api.h"

namespace software {

static std::vector<LoadedModule*> modules;

void unloadAll() {
  for (LoadedModule* module : modules) unloadModule(module);
  modules.clear();
}

static bool isLoaded(void* handle) {
  for (LoadedModule* module : modules)
    if (module == handle) return true;
  return false;
}

static Function* functionOf(void* handle) {
  for (LoadedModule* module : modules)
    for (auto& [name, function] : module->functions)
      if (function.get() == handle) return function.get();
  return nullptr;
}

}  // namespace software

using namespace software;

EXPORTED int cuModuleLoadData(void** handle, const void* image) {
  CALL;
  LoadedModule* module;
  if (Result error = loadModule(image, &module)) return error;
  modules.push_back(module);
  *handle = module;
  return success;
}

EXPORTED int cuModuleLoadDataEx(void** handle, const void* image, unsigned, const int*, void**) {
  return cuModuleLoadData(handle, image);
}

EXPORTED int cuModuleUnload(void* handle) {
  CALL;
  if (!isLoaded(handle)) return failure(invalidHandle, "a module that is not loaded");
  if (Result error = drainAll()) return error;
  std::erase(modules, (LoadedModule*)handle);
  unloadModule((LoadedModule*)handle);
  return success;
}

EXPORTED int cuModuleGetFunction(void** function, void* handle, const char* name) {
  CALL;
  if (!isLoaded(handle)) return failure(invalidHandle, "a module that is not loaded");
  auto& functions = ((LoadedModule*)handle)->functions;
  auto found = functions.find(name);
  if (found == functions.end()) return failure(notFound, "the module has no kernel " + std::string(name));
  *function = found->second.get();
  return success;
}

constexpr int maximumDynamicSharedSize = 8, preferredSharedCarveout = 9;

EXPORTED int cuFuncSetAttribute(void* handle, int attribute, int value) {
  CALL;
  Function* function = functionOf(handle);
  if (!function) return failure(invalidHandle, "a function that is not loaded");
  if (attribute == preferredSharedCarveout) return success;
  size_t fixed = (size_t)(function->kernel->sharedStop - function->kernel->sharedStart);
  if (attribute != maximumDynamicSharedSize || value < 0 || (size_t)value + fixed > mostShared())
    return failure(invalidValue, "attribute " + std::to_string(attribute) + " of kernel " + function->kernel->name + " set to " + std::to_string(value));
  function->maximumDynamicShared = value;
  return success;
}

EXPORTED int cuFuncGetAttribute(int* value, int attribute, void* handle) {
  CALL;
  Function* function = functionOf(handle);
  if (!function) return failure(invalidHandle, "a function that is not loaded");
  const Kernel& kernel = *function->kernel;
  switch (attribute) {
    case 0: *value = kernel.maximumThreads; return success;
    case 1: *value = (int)(kernel.sharedStop - kernel.sharedStart); return success;
    case 2: case 3: *value = 0; return success;
    case 4: *value = 32; return success;
    case 5: case 6: *value = function->module->module->architecture; return success;
    case maximumDynamicSharedSize: *value = function->maximumDynamicShared; return success;
  }
  return failure(invalidValue, "attribute " + std::to_string(attribute));
}

EXPORTED int cuLaunchKernel(void* handle, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX, unsigned blockY,
                            unsigned blockZ, unsigned sharedBytes, void* stream, void** parameters, void** extra) {
  CALL;
  Function* function = functionOf(handle);
  if (!function) return failure(invalidHandle, "a function that is not loaded");
  const Kernel& kernel = *function->kernel;
  if (extra || (!parameters && kernel.parameterCount)) return failure(invalidValue, "arguments are taken by their addresses alone");
  auto launch = std::make_shared<Launch>();
  *launch = {function, {gridX, gridY, gridZ}, {blockX, blockY, blockZ}, sharedBytes, {}};
  for (int i = 0; i < kernel.parameterCount; i++) {
    const char* from = (const char*)parameters[i];
    if (!from) return failure(invalidValue, "argument " + std::to_string(i) + " of kernel " + kernel.name + " is not given");
    launch->arguments.emplace_back(from, from + kernel.parameters[i].bytes);
  }
  if (Result error = checkLaunch(*launch)) return error;
  return submit(stream, [launch] { return runLaunch(*launch); });
}
