#pragma once
#include <chrono>

#include "device.h"

namespace software {

constexpr int relaxed = 2;

struct Stream;

/** One recording of an event. */
struct Occurrence {
  Stream* pendingOn = nullptr;
  bool done = false;
  double time = 0;
};

struct Capture {
  int mode;
  Stream* origin;
  std::vector<Work> work;
  bool invalid = false;
};

/** What a stream has to do: work, to record an event, or to wait for one. */
struct Item {
  Work work;
  std::shared_ptr<Occurrence> records, waitsFor;
};

struct Stream {
  std::deque<Item> queue;
  std::shared_ptr<Capture> capture;
};

struct Event {
  std::shared_ptr<Occurrence> last;
  /** The capture in which it was recorded. */
  std::weak_ptr<Capture> capture;
};

struct Graph {
  std::vector<Work> work;
  bool executable = false;
};

extern std::map<void*, std::unique_ptr<Stream>> streams;
extern std::map<void*, std::unique_ptr<Event>> events;
extern std::map<void*, std::unique_ptr<Graph>> graphs;

Stream* streamOf(void* handle);
bool anyCapture();
/** An error where a capture forbids a call; the capture is spoilt then. */
Result unsupportedDuringCapture(const char* what);
Result drain(Stream* stream);
Result drainUntil(Occurrence* occurrence);
Result drainAll();

inline double now() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

template <class T> void* keep(std::map<void*, std::unique_ptr<T>>& among, std::unique_ptr<T> one) {
  void* handle = one.get();
  among[handle] = std::move(one);
  return handle;
}

template <class T> T* find(std::map<void*, std::unique_ptr<T>>& among, void* handle) {
  auto found = among.find(handle);
  return found == among.end() ? nullptr : found->second.get();
}

}  // namespace software
