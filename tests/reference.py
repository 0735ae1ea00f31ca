"""The network in NumPy, as a reference for tests: written from its description, without code of the package."""

import numpy as np

# The lattice (2, 5, 5) that does not change a 28x28 image.
IDENTITY_LATTICE = np.stack(np.meshgrid(*[np.linspace(-13.5, 13.5, 5)] * 2, indexing="ij")).astype(np.float32)


def convolve(x, kernel):
    """Convolve x (n, h, w, c) with kernel (k, k, c, f) without padding: products of patches and kernel in float64."""
    patches = np.lib.stride_tricks.sliding_window_view(x, kernel.shape[:2], axis=(1, 2))
    return np.einsum("nhwcij,ijcf->nhwf", patches, kernel.astype(np.float64), optimize=True)


def leaky(x, leak):
    return np.maximum(x, leak * x)


def max_pool(y):
    n, h, w, f = y.shape
    return y[:, : h // 2 * 2, : w // 2 * 2].reshape(n, h // 2, 2, w // 2, 2, f).max(axis=(2, 4))


def conv_block(x, kernel, bias, pool, leak):
    """Apply convolution, bias, leaky ReLU and max pooling, in the order of the textbook."""
    y = leaky(convolve(x, kernel) + bias, leak)
    return max_pool(y) if pool == 2 else y


def probabilities(model, images):
    """Return the class probabilities of uint8 images (n, 28, 28), by the whole forward pass of a model."""
    p = {name: value.astype(np.float64) for name, value in model.params.items()}
    x = (images[..., None] / 255 - model.normalization.mean) / np.sqrt(model.normalization.variance)
    for number, bank in enumerate(model.network.banks, start=1):
        name = f"bank{number}."
        if bank.separable:  # a depthwise convolution of each channel, then a pointwise convolution
            channels = [convolve(x[..., [c]], p[name + "depthwise"][:, :, [c], None]) for c in range(x.shape[-1])]
            kernel, x = p[name + "pointwise"][None, None], np.concatenate(channels, axis=-1)
        else:
            kernel = p[name + "kernel"]
        x = conv_block(x, kernel, p[name + "bias"], bank.pool, model.network.leak)
    x = x.mean(axis=(1, 2))
    if model.network.dense:
        x = leaky(x @ p["dense.kernel"] + p["dense.bias"], model.network.leak)
    logits = x @ p["output.kernel"] + p["output.bias"]
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def gradients(x, kernel, bias, pool, leak, dy):
    """Return the gradients of `conv_block` with respect to x, kernel and bias, in float64.

    Also return, for each, the sums of the absolute values of its terms: the rounding error is proportional to them.
    """
    z = convolve(x, kernel) + bias
    if pool == 2:
        n, h, w, f = z.shape
        blocks = z[:, : h // 2 * 2, : w // 2 * 2].reshape(n, h // 2, 2, w // 2, 2, f)
        is_max = blocks == blocks.max(axis=(2, 4), keepdims=True)
        dblocks = is_max * dy[:, :, None, :, None, :]
        dz = np.zeros_like(z)
        dz[:, : h // 2 * 2, : w // 2 * 2] = dblocks.reshape(n, h // 2 * 2, w // 2 * 2, f)
    else:
        dz = dy.astype(np.float64)
    dz = np.where(z > 0, dz, leak * dz)
    return _adjoint(x, kernel, dz), _adjoint(abs(x), abs(kernel), abs(dz))


def _adjoint(x, kernel, dz):
    """Return the gradients of a convolution with respect to x, kernel and bias."""
    x, kernel = x.astype(np.float64), kernel.astype(np.float64)
    k = kernel.shape[0]
    height, width = dz.shape[1:3]
    dx, d_kernel = np.zeros_like(x), np.zeros_like(kernel)
    for i in range(k):
        for j in range(k):
            patch = x[:, i : i + height, j : j + width]
            d_kernel[i, j] = np.tensordot(patch, dz, axes=((0, 1, 2), (0, 1, 2)))
            dx[:, i : i + height, j : j + width] += dz @ kernel[i, j].T
    return dx, d_kernel, dz.sum(axis=(0, 1, 2))


def margin(x, kernel, bias, pool):
    """Return the distance of `conv_block` from a kink, where its gradient jumps, as a share of its largest value."""
    z = convolve(x, kernel) + bias
    nearest = np.abs(z).min()
    if pool == 2:
        n, h, w, f = z.shape
        blocks = z[:, : h // 2 * 2, : w // 2 * 2].reshape(n, h // 2, 2, w // 2, 2, f)
        windows = np.sort(blocks.transpose(0, 1, 3, 5, 2, 4).reshape(-1, 4), axis=1)
        nearest = min(nearest, (windows[:, 3] - windows[:, 2]).min())
    return nearest / np.abs(z).max()
