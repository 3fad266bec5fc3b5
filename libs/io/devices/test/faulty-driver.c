/*
 * A Vulkan driver in front of another one, REAL_DRIVER. When there is a file LOSS it takes it away and has lost its device from then on; while there is a file FULL it has no memory.
 */
#include <unistd.h>
#define INTERFACE_VERSION 4
#include "driver-in-front.h"

enum { OUT_OF_DEVICE_MEMORY = -2, DEVICE_LOST = -4 };

typedef int32_t (*Submit)(void *queue, uint32_t count, const void *submits, void *fence);
typedef int32_t (*Allocate)(void *device, const void *info, const void *allocator, void *memory);

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
  if (strcmp(name, "vkQueueSubmit") == 0) return real_submit = (Submit)real, (Function)submit;
  if (strcmp(name, "vkAllocateMemory") == 0) return real_allocate = (Allocate)real, (Function)allocate;
  return real;
}
