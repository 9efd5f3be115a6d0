// The driver's functions for streams, events and graphs.
#include "api.h"

using namespace software;

EXPORTED int cuStreamCreate(void** handle, unsigned) {
  CALL;
  *handle = keep(streams, std::make_unique<Stream>());
  return success;
}

EXPORTED int cuStreamCreateWithPriority(void** handle, unsigned flags, int) { return cuStreamCreate(handle, flags); }

static Result noStream() { return failure(invalidHandle, "a stream that does not exist or was destroyed"); }
static Result noEvent() { return failure(invalidHandle, "an event that does not exist or was destroyed"); }

EXPORTED int cuStreamDestroy_v2(void* handle) {
  CALL;
  Stream* stream = find(streams, handle);
  if (!stream || !handle) return noStream();
  if (Result error = drain(stream)) return error;
  streams.erase(handle);
  return success;
}

EXPORTED int cuStreamSynchronize(void* handle) {
  CALL;
  Stream* stream = streamOf(handle);
  if (!stream) return noStream();
  if (stream->capture) {
    stream->capture->invalid = true;
    return failure(captureUnsupported, "a stream is synchronized while it is captured");
  }
  if (Result error = drain(stream)) return error;
  return checkGuards();
}

EXPORTED int cuStreamQuery(void* handle) {
  CALL;
  Stream* stream = streamOf(handle);
  if (!stream) return noStream();
  if (stream->capture) return failure(captureUnsupported, "a stream is asked for its state while it is captured");
  if (stream->queue.empty()) return success;
  // Asked again, everything is done.
  if (Result error = drain(stream)) return error;
  return notReady;
}

EXPORTED int cuStreamWaitEvent(void* handle, void* eventHandle, unsigned) {
  CALL;
  Stream* stream = streamOf(handle);
  Event* event = find(events, eventHandle);
  if (!stream) return noStream();
  if (!event) return noEvent();
  if (auto capture = event->capture.lock()) {
    if (stream->capture && stream->capture != capture) return failure(invalidValue, "two captures are joined");
    stream->capture = capture;
    return success;
  }
  if (!event->last) return success;
  if (stream->capture) return failure(905, "a captured stream waits for an event from outside the capture");
  if (!event->last->done) stream->queue.push_back({nullptr, nullptr, event->last});
  return success;
}

EXPORTED int cuEventCreate(void** handle, unsigned) {
  CALL;
  *handle = keep(events, std::make_unique<Event>());
  return success;
}

EXPORTED int cuEventDestroy_v2(void* handle) {
  CALL;
  return events.erase(handle) ? success : noEvent();
}

EXPORTED int cuEventRecord(void* eventHandle, void* handle) {
  CALL;
  Stream* stream = streamOf(handle);
  Event* event = find(events, eventHandle);
  if (!stream) return noStream();
  if (!event) return noEvent();
  event->capture = stream->capture;
  event->last = nullptr;
  if (stream->capture) return success;
  event->last = std::make_shared<Occurrence>();
  if (stream->queue.empty()) {
    event->last->done = true;
    event->last->time = now();
  } else {
    event->last->pendingOn = stream;
    stream->queue.push_back({nullptr, event->last, nullptr});
  }
  return success;
}

EXPORTED int cuEventRecordWithFlags(void* eventHandle, void* handle, unsigned) { return cuEventRecord(eventHandle, handle); }

static Result captured(Event* event) {
  return event->capture.lock() ? failure(907, "an event that was recorded in a capture") : success;
}

EXPORTED int cuEventSynchronize(void* handle) {
  CALL;
  Event* event = find(events, handle);
  if (!event) return noEvent();
  if (Result error = captured(event)) return error;
  return event->last ? drainUntil(event->last.get()) : success;
}

EXPORTED int cuEventQuery(void* handle) {
  CALL;
  Event* event = find(events, handle);
  if (!event) return noEvent();
  if (Result error = captured(event)) return error;
  if (!event->last || event->last->done) return success;
  if (Result error = drainUntil(event->last.get())) return error;
  return notReady;
}

EXPORTED int cuEventElapsedTime(float* milliseconds, void* first, void* second) {
  CALL;
  Event *from = find(events, first), *to = find(events, second);
  if (!from || !to || !from->last || !to->last) return noEvent();
  if (!from->last->done || !to->last->done) return notReady;
  *milliseconds = (float)(to->last->time - from->last->time);
  return success;
}

EXPORTED int cuEventElapsedTime_v2(float* milliseconds, void* first, void* second) {
  return cuEventElapsedTime(milliseconds, first, second);
}

EXPORTED int cuStreamBeginCapture_v2(void* handle, int mode) {
  CALL;
  Stream* stream = streamOf(handle);
  if (!stream) return noStream();
  if ((uintptr_t)handle <= 2) return failure(captureUnsupported, "the default stream cannot be captured");
  if (stream->capture) return failure(401, "the stream is captured already");
  stream->capture = std::make_shared<Capture>(Capture{mode, stream, {}, false});
  return success;
}

EXPORTED int cuStreamEndCapture(void* handle, void** graph) {
  CALL;
  Stream* stream = streamOf(handle);
  if (!stream) return noStream();
  auto capture = stream->capture;
  if (!capture || capture->origin != stream) return failure(captureUnmatched, "a capture is ended on a stream where it did not begin");
  for (auto& [other, one] : streams)
    if (one->capture == capture) one->capture = nullptr;
  *graph = nullptr;
  if (capture->invalid) return failure(captureInvalidated, failureDetail());
  auto made = std::make_unique<Graph>();
  made->work = std::move(capture->work);
  *graph = keep(graphs, std::move(made));
  return success;
}

EXPORTED int cuStreamIsCapturing(void* handle, int* status) {
  CALL;
  Stream* stream = streamOf(handle);
  if (!stream) return noStream();
  *status = !stream->capture ? 0 : stream->capture->invalid ? 2 : 1;
  return success;
}

EXPORTED int cuGraphInstantiateWithFlags(void** executable, void* handle, unsigned long long) {
  CALL;
  Graph* graph = find(graphs, handle);
  if (!graph || graph->executable) return failure(invalidHandle, "a graph that does not exist");
  auto made = std::make_unique<Graph>(*graph);
  made->executable = true;
  *executable = keep(graphs, std::move(made));
  return success;
}

EXPORTED int cuGraphGetNodes(void* handle, void** nodes, size_t* count) {
  CALL;
  Graph* graph = find(graphs, handle);
  if (!graph) return failure(invalidHandle, "a graph that does not exist");
  if (nodes)
    for (size_t i = 0; i < *count && i < graph->work.size(); i++) nodes[i] = &graph->work[i];
  *count = graph->work.size();
  return success;
}

EXPORTED int cuGraphUpload(void*, void*) { return success; }

EXPORTED int cuGraphLaunch(void* handle, void* stream) {
  CALL;
  Graph* graph = find(graphs, handle);
  if (!graph || !graph->executable) return failure(invalidHandle, "a graph that cannot be run");
  counters["graphLaunches"]++;
  return submit(stream, [work = graph->work] {
    for (const Work& one : work)
      if (Result error = one()) return error;
    return success;
  });
}

static int destroyGraph(void* handle, bool executable) {
  CALL;
  Graph* graph = find(graphs, handle);
  if (!graph || graph->executable != executable) return failure(invalidHandle, "a graph that does not exist");
  graphs.erase(handle);
  return success;
}

EXPORTED int cuGraphDestroy(void* handle) { return destroyGraph(handle, false); }
EXPORTED int cuGraphExecDestroy(void* handle) { return destroyGraph(handle, true); }
