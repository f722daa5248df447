// What an engine of the stand-in holds: the graph, its weights on the GPU, the profiles.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/nvinfer_standin/plan_file.h"
#include "tests/nvinfer_standin/plan_source.h"
#include "tests/nvinfer_standin/program.h"

namespace tessera::standin {

class Model {
 public:
  // Reads the plan's ONNX file and copies its initializers to the current device. `took`: a line that says
  // how long what took.
  static Result<std::shared_ptr<const Model>> Load(PlanSource& plan, std::string& took);
  // What the plan declares, without a GPU: nothing of it can be run.
  static Result<std::shared_ptr<const Model>> Describe(std::string_view plan);
  ~Model();
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  struct Io {
    std::string name;
    DType type;
    Shape shape;
    bool is_input;
    bool on_host = false;    // a shape tensor
    std::string declared{};  // fp8, chw4, ..: see PlanFile
  };

  const PlanFile& plan() const { return plan_; }
  const graph::Graph& graph() const { return graph_; }
  const Device& device() const { return device_; }
  const std::vector<Io>& io() const { return io_; }
  const Io* Find(const char* name) const;
  // What a context says that it needs for a profile: only where there are several, to see who shares it. A
  // program writes all of it, and reads none.
  size_t ContextBytes(int profile) const;
  // Whether its inspector tells the kinds of layers.
  bool TellsLayers() const { return plan_.declared.count("layers") == 0; }
  // The node names of the collectives, in order.
  const std::vector<std::string>& collectives() const { return collectives_; }

 private:
  Model() = default;
  static Result<std::shared_ptr<Model>> Read(std::string_view plan);
  Result<void> OpenDevice();
  Result<void> MakeRoom();
  Result<void> CopyWeights(PlanSource& plan);
  void ListIo();

  PlanFile plan_;
  graph::Graph graph_;
  Device device_;
  cuda::DeviceBuffer weights_;
  std::vector<Io> io_;
  std::vector<std::string> collectives_;
};

}  // namespace tessera::standin
