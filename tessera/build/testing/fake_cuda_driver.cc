// Stands in for CUDA's driver, of which visible_gpus.h asks: three GPUs, the second in prohibited mode.
#include <cstring>

#pragma GCC visibility push(default)
extern "C" {

int cuInit(unsigned) {
  return 0;
}

int cuGetErrorString(int, const char**) {
  return 1;
}

int cuDeviceGetCount(int* count) {
  *count = 3;
  return 0;
}

int cuDeviceGet(int* device, int index) {
  *device = index + 100;
  return 0;
}

int cuDeviceGetName(char* name, int size, int device) {
  std::strncpy(name, device == 102 ? "L40" : "L4", static_cast<size_t>(size));
  return 0;
}

int cuDeviceGetUuid_v2(unsigned char* uuid, int device) {
  for (int i = 0; i < 16; ++i) uuid[i] = static_cast<unsigned char>(device + i);
  return 0;
}

int cuDeviceGetAttribute(int* value, int attribute, int device) {
  switch (attribute) {
    case 20:
      *value = device == 101 ? 2 : 0;
      return 0;
    case 75:
      *value = 8;
      return 0;
    case 76:
      *value = 9;
      return 0;
    default:
      return 1;
  }
}
}
