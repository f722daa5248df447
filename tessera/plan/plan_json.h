// The parts of plan.json that have files of their own. What is read is checked by Validate, as a whole.
#pragma once

#include "tessera/plan/json_fields.h"
#include "tessera/plan/plan.h"

namespace tessera::plan {

Json WriteArtifact(const Artifact& artifact);
Result<Artifact> ReadArtifact(const JsonField& field);

Json WriteTensor(const TensorPlan& tensor);
Result<TensorPlan> ReadTensor(const JsonField& field);

Json WriteCollective(const CollectivePlan& collective);
Result<CollectivePlan> ReadCollective(const JsonField& field);

Json WriteBuild(const Build& build);
Result<Build> ReadBuild(const JsonField& field);

Json WriteProbe(const Probe& probe);
Result<Probe> ReadProbe(const JsonField& field);

}  // namespace tessera::plan
