#include "train/layers.h"

#include <algorithm>

namespace inksight {

Layers::Layers(const inksight_network& network, const inksight_bank* given) {
  int channels = 1, side = network.side;
  const auto add = [&](long rows, long columns, bool is_bias, bool uses_muon) {
    tensors.push_back({size, rows, columns, is_bias, uses_muon});
    size += rows * columns;
  };
  for (int i = 0; i < network.banks; ++i) {
    const Bank bank{{channels, side, side, given[i].filters, given[i].kernel, given[i].pool},
                    given[i].separable != 0, size, effective_size};
    if (bank.separable) {
      add(bank.depthwise(), 1, false, false);
      add(channels, bank.shape.filters, false, true);
    } else {
      add(bank.depthwise(), bank.shape.filters, false, true);
    }
    add(1, bank.shape.filters, true, false);
    effective_size += bank.shape.weights() + bank.shape.filters;
    banks.push_back(bank);
    channels = bank.shape.filters;
    side = bank.shape.out_height();
  }
  const auto add_dense = [&](int units, bool uses_muon) {
    const Dense layer{channels, units, size, effective_size};
    add(channels, units, false, uses_muon);
    add(1, units, true, false);
    effective_size += layer.size() + units;
    dense.push_back(layer);
    channels = units;
  };
  if (network.dense) add_dense(network.dense, true);
  add_dense(network.classes, false);
}

void Layers::expand(const float* weights, float* effective) const {
  for (const Bank& bank : banks) {
    const int filters = bank.shape.filters, channels = bank.shape.channels;
    const float* in = weights + bank.weights;
    float* out = effective + bank.effective;
    if (bank.separable) {
      const float* pointwise = in + bank.depthwise();
      for (long row = 0; row < bank.depthwise(); ++row)  // kernel row, kernel column, channel
        for (int f = 0; f < filters; ++f) *out++ = in[row] * pointwise[row % channels * filters + f];
      in = pointwise + bank.pointwise();
      std::copy(in, in + filters, out);
    } else {
      std::copy(in, in + bank.shape.weights() + filters, out);
    }
  }
  std::copy(weights + dense.front().weights, weights + size, effective + dense.front().effective);
}

void Layers::contract(const float* weights, const float* effective_gradient, float* gradient) const {
  for (const Bank& bank : banks) {
    const int filters = bank.shape.filters, channels = bank.shape.channels;
    const float* in = effective_gradient + bank.effective;
    float* out = gradient + bank.weights;
    if (bank.separable) {
      const float *depthwise = weights + bank.weights, *pointwise = depthwise + bank.depthwise();
      float* d_pointwise = out + bank.depthwise();
      std::fill_n(d_pointwise, bank.pointwise(), 0.0f);
      for (long row = 0; row < bank.depthwise(); ++row, in += filters) {
        const long first = row % channels * filters;
        out[row] = 0;
        for (int f = 0; f < filters; ++f) {
          out[row] += in[f] * pointwise[first + f];
          d_pointwise[first + f] += in[f] * depthwise[row];
        }
      }
      std::copy(in, in + filters, d_pointwise + bank.pointwise());
    } else {
      std::copy(in, in + bank.shape.weights() + filters, out);
    }
  }
  std::copy(effective_gradient + dense.front().effective, effective_gradient + effective_size,
            gradient + dense.front().weights);
}

}  // namespace inksight
