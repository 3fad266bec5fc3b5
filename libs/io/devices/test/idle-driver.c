/*
 * A Vulkan driver in front of another one, REAL_DRIVER, that computes nothing and counts what it is asked: what a step then takes is the host's.
 * The interface of drivers: https://github.com/KhronosGroup/Vulkan-Loader/blob/main/docs/LoaderDriverInterface.md
 */
#include <dlfcn.h>
#include <stdint.h>
#include <string.h>

enum { SUCCESS = 0 };

typedef void (*Function)(void);
typedef Function (*Find)(void *object, const char *name);

static Find find_of_instance, find_of_device;
static int32_t (*real_submit)(void *queue, uint32_t count, const void *submits, void *fence);
static uint32_t dispatches, submits;

uint32_t dispatches_asked(void) { return dispatches; }
uint32_t submits_asked(void) { return submits; }

static void dispatch(void *commands, uint32_t x, uint32_t y, uint32_t z) { dispatches++; }

static int32_t submit(void *queue, uint32_t count, const void *infos, void *fence) {
  submits++;
  return real_submit(queue, count, infos, fence);
}

static Function replaced(const char *name, Function real) {
  if (real == NULL) return real;
  if (strcmp(name, "vkCmdDispatch") == 0) return (Function)dispatch;
  if (strcmp(name, "vkQueueSubmit") == 0) return *(Function *)&real_submit = real, (Function)submit;
  return real;
}

static Function function_of_device(void *device, const char *name) { return replaced(name, find_of_device(device, name)); }

Function vk_icdGetInstanceProcAddr(void *instance, const char *name) {
  if (find_of_instance == NULL) find_of_instance = (Find)dlsym(dlopen(REAL_DRIVER, RTLD_NOW), "vk_icdGetInstanceProcAddr");
  Function real = find_of_instance(instance, name);
  if (real == NULL || strcmp(name, "vkGetDeviceProcAddr") != 0) return replaced(name, real);
  find_of_device = (Find)real;
  return (Function)function_of_device;
}

int32_t vk_icdNegotiateLoaderICDInterfaceVersion(uint32_t *version) {
  if (*version > 4) *version = 4;
  return SUCCESS;
}
