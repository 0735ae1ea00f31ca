"""The network once more in plain NumPy: written from its description, sharing no code with the package."""

import numpy as np

# A lattice (2, 5, 5) that leaves a 28x28 image where it is.
STILL = np.stack(np.meshgrid(*[np.linspace(-13.5, 13.5, 5)] * 2, indexing="ij")).astype(np.float32)


def convolve(x, kernel):
    """Valid convolution of x (n, h, w, c) with kernel (k, k, c, f), by summing shifted products in float64."""
    k = kernel.shape[0]
    height, width = x.shape[1] - k + 1, x.shape[2] - k + 1
    y = np.zeros((len(x), height, width, kernel.shape[-1]))
    for i in range(k):
        for j in range(k):
            y += x[:, i : i + height, j : j + width] @ kernel[i, j].astype(np.float64)
    return y


def leaky(x, leak):
    return np.maximum(x, leak * x)


def max_pool(y):
    n, h, w, f = y.shape
    return y[:, : h // 2 * 2, : w // 2 * 2].reshape(n, h // 2, 2, w // 2, 2, f).max(axis=(2, 4))


def conv_block(x, kernel, bias, pool, leak):
    """In the textbook's order: convolution, bias, activation, pooling."""
    y = leaky(convolve(x, kernel) + bias, leak)
    return max_pool(y) if pool == 2 else y


def probabilities(model, images):
    """The whole forward pass of a model for uint8 images (n, 28, 28)."""
    p = {name: value.astype(np.float64) for name, value in model.params.items()}
    x = (images[..., None] / 255 - p["normalization.mean"]) / np.sqrt(p["normalization.variance"])
    for number, bank in enumerate(model.network.banks, start=1):
        name = f"bank{number}."
        if bank.separable:  # as it is described: every channel by itself, then the channels together
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
    """Gradients of `conv_block` with respect to x, kernel and bias, written out in float64.

    Returned are also, for each, the sums of the absolute values of the terms: rounding is in proportion to those.
    """
    z = convolve(x, kernel) + bias
    if pool == 2:
        n, h, w, f = z.shape
        blocks = z[:, : h // 2 * 2, : w // 2 * 2].reshape(n, h // 2, 2, w // 2, 2, f)
        won = blocks == blocks.max(axis=(2, 4), keepdims=True)
        spread = won * dy[:, :, None, :, None, :]
        dz = np.zeros_like(z)
        dz[:, : h // 2 * 2, : w // 2 * 2] = spread.reshape(n, h // 2 * 2, w // 2 * 2, f)
    else:
        dz = dy.astype(np.float64)
    dz = np.where(z > 0, dz, leak * dz)
    return _adjoint(x, kernel, dz), _adjoint(abs(x), abs(kernel), abs(dz))


def _adjoint(x, kernel, dz):
    """What a convolution's sums pass back to x, kernel and bias."""
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
    """How far `conv_block` is from a kink, where its gradient jumps: as a share of its largest value."""
    z = convolve(x, kernel) + bias
    nearest = np.abs(z).min()
    if pool == 2:
        n, h, w, f = z.shape
        blocks = z[:, : h // 2 * 2, : w // 2 * 2].reshape(n, h // 2, 2, w // 2, 2, f)
        four = np.sort(blocks.transpose(0, 1, 3, 5, 2, 4).reshape(-1, 4), axis=1)
        nearest = min(nearest, (four[:, 3] - four[:, 2]).min())
    return nearest / np.abs(z).max()
