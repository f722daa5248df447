// A model of the server: its configuration, checked, and what its instances share.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tessera/base/mutex.h"
#include "tessera/base/result.h"
#include "tessera/triton/command_line.h"
#include "tessera/triton/load.h"
#include "tessera/triton/metrics.h"
#include "tessera/triton/request.h"
#include "tessera/triton/settings.h"

namespace tessera::triton {

// State of the backend, one a process.
struct Backend {
  Metrics metrics;
  CommandLine options;
};

class Model {
 public:
  // Loads the model once, completes its configuration if the server asks for that, and checks it. Everything
  // that is wrong with a model is found here, so its reason shows in the server's index. `backend` outlives
  // the model.
  static Result<std::unique_ptr<Model>> Create(TRITONBACKEND_Model* model, const Backend& backend);

  const std::string& name() const { return name_; }
  const Settings& settings() const { return settings_; }
  const Signature& signature() const { return signature_; }

  // The model loaded for one more instance: what Create loaded if that is there and its place is the same,
  // else anew. Thread-safe.
  Result<LoadedModel> Take(const Place& place);

  // The time of each rank of instances at `place`. Thread-safe; stays as long as the model.
  Result<std::vector<Counter>*> RankTimesAt(const Place& place);

  // Counts a step that went well, or failed. Thread-safe.
  void CountStep(const exec::InferReport& report, std::vector<Counter>& rank_times) noexcept;
  void CountFailure() noexcept;

 private:
  Model(std::string name, uint64_t version, Settings settings, LoadableModel loadable, const Metrics& metrics)
      : name_(std::move(name)),
        version_(version),
        metrics_(metrics),
        settings_(std::move(settings)),
        loadable_(std::move(loadable)) {}

  Result<void> Configure(TRITONBACKEND_Model* model, nlohmann::json config, const exec::Executor& executor,
                         const CommandLine& options);
  Result<LoadedModel> Load(const Place& place);
  Place FirstPlace() const { return {settings_.instance_gpu, settings_.instance_profiles}; }
  CounterFamily::Labels OwnLabels() const;
  Result<void> MakeCounters();
  Result<std::vector<Counter>> MakeRankTimes(const Place& place) const;

  std::string name_;
  uint64_t version_;
  const Metrics& metrics_;
  Settings settings_;
  LoadableModel loadable_;
  Signature signature_;
  Counter steps_;
  Counter failures_;
  Counter down_;  // goes down as well
  int world_size_ = 0;
  Mutex mutex_;
  std::map<std::optional<DeviceId>, std::vector<Counter>> rank_times_ GUARDED_BY(mutex_);  // by Place::gpu
  std::optional<LoadedModel> first_ GUARDED_BY(mutex_);                                    // at FirstPlace()
};

}  // namespace tessera::triton
