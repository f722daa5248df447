#include "tests/nvinfer_standin/pool.h"

#include <algorithm>

namespace tessera::standin {

Result<std::shared_ptr<void>> Pool::Take(size_t bytes) {
  const size_t wanted = std::max<size_t>((bytes + 255) / 256 * 256, 256);
  auto fits = state_->free.lower_bound(wanted);
  size_t size = wanted;
  void* block = nullptr;
  if (fits != state_->free.end() && fits->first <= 2 * wanted) {
    size = fits->first;
    block = fits->second;
    state_->free.erase(fits);
  } else {
    TRY_ASSIGN(cuda::DeviceBuffer made, cuda::DeviceBuffer::Create(state_->device, wanted));
    block = made.data();
    state_->total += wanted;
    state_->owned.push_back(std::move(made));
  }
  return std::shared_ptr<void>(block,
                               [state = state_, size](void* back) { state->free.emplace(size, back); });
}

}  // namespace tessera::standin
