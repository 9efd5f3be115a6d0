// Built-in vector types.
#pragma once

#define SOFTWARE_VECTORS(type, name, alignment2, alignment4) \
  struct name##1 { type x; }; \
  struct alignas(alignment2) name##2 { type x, y; }; \
  struct name##3 { type x, y, z; }; \
  struct alignas(alignment4) name##4 { type x, y, z, w; }; \
  static inline name##1 make_##name##1(type x) { return {x}; } \
  static inline name##2 make_##name##2(type x, type y) { return {x, y}; } \
  static inline name##3 make_##name##3(type x, type y, type z) { return {x, y, z}; } \
  static inline name##4 make_##name##4(type x, type y, type z, type w) { return {x, y, z, w}; }

#define uint3 softwareUint3
SOFTWARE_VECTORS(signed char, char, 2, 4)
SOFTWARE_VECTORS(unsigned char, uchar, 2, 4)
SOFTWARE_VECTORS(short, short, 4, 8)
SOFTWARE_VECTORS(unsigned short, ushort, 4, 8)
SOFTWARE_VECTORS(int, int, 8, 16)
SOFTWARE_VECTORS(unsigned, uint, 8, 16)
SOFTWARE_VECTORS(long long, longlong, 16, 16)
SOFTWARE_VECTORS(unsigned long long, ulonglong, 16, 16)
SOFTWARE_VECTORS(float, float, 8, 16)
SOFTWARE_VECTORS(double, double, 16, 16)
#undef uint3
#undef SOFTWARE_VECTORS

template <class T> static inline T __ldg(const T* address) { return *address; }
template <class T> static inline T __ldcg(const T* address) { return *address; }
template <class T> static inline T __ldca(const T* address) { return *address; }
template <class T> static inline T __ldcs(const T* address) { return *address; }
template <class T> static inline void __stcg(T* address, T value) { *address = value; }
template <class T> static inline void __stcs(T* address, T value) { *address = value; }
template <class T> static inline void __stwt(T* address, T value) { *address = value; }
