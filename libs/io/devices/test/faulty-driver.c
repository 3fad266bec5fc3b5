/*
 * A Vulkan driver in front of another one, REAL_DRIVER. When there is a file LOSS it takes it away and has lost its device from then on; while there is a file FULL it has no memory.
 * The interface of drivers: https://github.com/KhronosGroup/Vulkan-Loader/blob/main/docs/LoaderDriverInterface.md
 */
#include <dlfcn.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

enum { SUCCESS = 0, OUT_OF_DEVICE_MEMORY = -2, DEVICE_LOST = -4 };

typedef void (*Function)(void);
typedef Function (*Find)(void *object, const char *name);
typedef int32_t (*Submit)(void *queue, uint32_t count, const void *submits, void *fence);
typedef int32_t (*Allocate)(void *device, const void *info, const void *allocator, void *memory);

static Find find_of_instance, find_of_device;
static Submit real_submit;
static Allocate real_allocate;
static int lost;

static int32_t submit(void *queue, uint32_t count, const void *submits, void *fence) {
  lost |= unlink(LOSS) == 0;
  return lost ? DEVICE_LOST : real_submit(queue, count, submits, fence);
}

static int32_t allocate(void *device, const void *info, const void *allocator, void *memory) {
  return access(FULL, F_OK) == 0 ? OUT_OF_DEVICE_MEMORY : real_allocate(device, info, allocator, memory);
}

static Function replaced(const char *name, Function real) {
  if (real == NULL) return real;
  if (strcmp(name, "vkQueueSubmit") == 0) return real_submit = (Submit)real, (Function)submit;
  if (strcmp(name, "vkAllocateMemory") == 0) return real_allocate = (Allocate)real, (Function)allocate;
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
