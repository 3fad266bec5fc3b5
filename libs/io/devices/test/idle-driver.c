/*
 * A Vulkan driver in front of another one, REAL_DRIVER, that computes nothing and counts what it is asked: what a step then takes is the host's.
 */
#define INTERFACE_VERSION 4
#include "driver-in-front.h"

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
  if (strcmp(name, "vkCmdDispatch") == 0) return (Function)dispatch;
  if (strcmp(name, "vkQueueSubmit") == 0) return *(Function *)&real_submit = real, (Function)submit;
  return real;
}
