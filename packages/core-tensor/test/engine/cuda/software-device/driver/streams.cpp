// Streams, events, captures and graphs.
//
// Work is done at the call. With the setting `deferred` it is kept until something waits for it, so that a program that
// forgets to wait reads what is not there yet.
#include "streams.h"

namespace software {

std::map<void*, std::unique_ptr<Stream>> streams;
std::map<void*, std::unique_ptr<Event>> events;
std::map<void*, std::unique_ptr<Graph>> graphs;

Stream* streamOf(void* handle) {
  if ((uintptr_t)handle <= 2) {
    // The default streams.
    auto& slot = streams[nullptr];
    if (!slot) slot = std::make_unique<Stream>();
    return slot.get();
  }
  auto found = streams.find(handle);
  return found == streams.end() ? nullptr : found->second.get();
}

bool isCapturing(void* stream) {
  Stream* of = streamOf(stream);
  return of && of->capture;
}

bool anyCapture() {
  for (auto& [handle, stream] : streams)
    if (stream->capture) return true;
  return false;
}

Result unsupportedDuringCapture(const char* what) {
  for (auto& [handle, stream] : streams)
    if (stream->capture && stream->capture->mode != relaxed) {
      stream->capture->invalid = true;
      return failure(captureUnsupported, std::string(what) + " while a stream is captured");
    }
  return success;
}

static Result runItem(Item& item) {
  if (item.waitsFor) return item.waitsFor->pendingOn ? drainUntil(item.waitsFor.get()) : success;
  if (item.records) {
    item.records->pendingOn = nullptr;
    item.records->done = true;
    item.records->time = now();
    return success;
  }
  return item.work();
}

Result drain(Stream* stream) {
  while (!stream->queue.empty()) {
    Item item = std::move(stream->queue.front());
    stream->queue.pop_front();
    if (Result error = runItem(item)) return deviceFailure(error, failureDetail());
  }
  return success;
}

Result drainUntil(Occurrence* occurrence) {
  Stream* stream = occurrence->pendingOn;
  while (stream && !occurrence->done && !stream->queue.empty()) {
    Item item = std::move(stream->queue.front());
    stream->queue.pop_front();
    if (Result error = runItem(item)) return deviceFailure(error, failureDetail());
  }
  return success;
}

Result drainAll() {
  for (auto& [handle, stream] : streams)
    if (Result error = drain(stream.get())) return error;
  return success;
}

Result submit(void* handle, Work work) {
  if (lost) return lost;
  Stream* stream = streamOf(handle);
  if (!stream) return failure(invalidHandle, "a stream that does not exist or was destroyed");
  if ((uintptr_t)handle <= 2 && anyCapture())
    return failure(captureImplicit, "work is given to the default stream while another is captured");
  if (stream->capture) {
    if (stream->capture->invalid) return captureInvalidated;
    stream->capture->work.push_back(std::move(work));
    return success;
  }
  if (settings["deferred"] || !stream->queue.empty()) {
    stream->queue.push_back({std::move(work), nullptr, nullptr});
    return success;
  }
  return work();
}

}  // namespace software

EXPORTED int softwareDeviceSubmit(void* stream, std::function<int()>* work) {
  std::lock_guard lock(software::deviceLock);
  return software::submit(stream, std::move(*work));
}
