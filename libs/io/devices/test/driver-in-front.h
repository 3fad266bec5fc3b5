/*
 * What any Vulkan driver in front of another one, REAL_DRIVER, is to its loader. Whoever includes this says which of the real one's functions it replaces, and the newest version
 * of the loader's interface that it knows, INTERFACE_VERSION.
 * The interface of drivers: https://github.com/KhronosGroup/Vulkan-Loader/blob/main/docs/LoaderDriverInterface.md
 */
#include <dlfcn.h>
#include <stdint.h>
#include <string.h>

enum { SUCCESS = 0 };

typedef void (*Function)(void);
typedef Function (*Find)(void *object, const char *name);

/* In place of the real driver's function of that name, which is not NULL; or that itself. */
static Function replaced(const char *name, Function real);

static Find find_of_instance, find_of_device;

static Function replaced_if_any(const char *name, Function real) { return real == NULL ? NULL : replaced(name, real); }

static Function function_of_device(void *device, const char *name) { return replaced_if_any(name, find_of_device(device, name)); }

Function vk_icdGetInstanceProcAddr(void *instance, const char *name) {
  if (find_of_instance == NULL) find_of_instance = (Find)dlsym(dlopen(REAL_DRIVER, RTLD_NOW), "vk_icdGetInstanceProcAddr");
  Function real = find_of_instance(instance, name);
  if (real == NULL || strcmp(name, "vkGetDeviceProcAddr") != 0) return replaced_if_any(name, real);
  find_of_device = (Find)real;
  return (Function)function_of_device;
}

int32_t vk_icdNegotiateLoaderICDInterfaceVersion(uint32_t *version) {
  if (*version > INTERFACE_VERSION) *version = INTERFACE_VERSION;
  return SUCCESS;
}
