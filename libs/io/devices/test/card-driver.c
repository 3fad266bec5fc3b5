/*
 * A Vulkan driver in front of another one, REAL_DRIVER, whose adapter it has be a card of its own on the PCI bus BUS.
 */
#define INTERFACE_VERSION 5
#include "driver-in-front.h"

enum { DISCRETE = 2, PCI_BUS_INFO = 1000212000 };

/* The beginnings of Vulkan's structures that are written here. */
typedef struct { uint32_t versions_and_ids[4], type; } Properties;
typedef struct { int32_t type; void *next; Properties properties; } Properties2;
typedef struct Link { int32_t type; struct Link *next; uint32_t domain, bus, device, function; } Link;
typedef struct { char name[256]; uint32_t version; } Extension;

static void (*real_properties)(void *adapter, Properties *);
static void (*real_properties2)(void *adapter, Properties2 *);
static int32_t (*real_extensions)(void *adapter, const char *layer, uint32_t *count, Extension *);

static void properties(void *adapter, Properties *told) {
  real_properties(adapter, told);
  told->type = DISCRETE;
}

static void properties2(void *adapter, Properties2 *told) {
  real_properties2(adapter, told);
  told->properties.type = DISCRETE;
  for (Link *link = told->next; link != NULL; link = link->next)
    if (link->type == PCI_BUS_INFO) link->domain = link->device = link->function = 0, link->bus = BUS;
}

static int32_t extensions(void *adapter, const char *layer, uint32_t *count, Extension *told) {
  uint32_t room = *count;
  int32_t result = real_extensions(adapter, layer, count, told);
  if (told == NULL) *count += 1;
  else if (*count < room) told[(*count)++] = (Extension){"VK_EXT_pci_bus_info", 2};
  return result;
}

static Function replaced(const char *name, Function real) {
  if (strcmp(name, "vkGetPhysicalDeviceProperties") == 0) return *(Function *)&real_properties = real, (Function)properties;
  if (strncmp(name, "vkGetPhysicalDeviceProperties2", 30) == 0) return *(Function *)&real_properties2 = real, (Function)properties2;
  if (strcmp(name, "vkEnumerateDeviceExtensionProperties") == 0) return *(Function *)&real_extensions = real, (Function)extensions;
  return real;
}
