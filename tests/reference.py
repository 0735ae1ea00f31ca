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
    return _windows(y).max(axis=(2, 4))


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

    Also return the gradient with respect to the convolution's sums, before bias, leaky ReLU and pooling.
    """
    z = convolve(x, kernel) + bias
    if pool == 2:
        windows = _windows(z)
        n, h, w, f = dy.shape
        is_max = windows == windows.max(axis=(2, 4), keepdims=True)
        dz = np.zeros_like(z)
        dz[:, : 2 * h, : 2 * w] = (is_max * dy[:, :, None, :, None, :]).reshape(n, 2 * h, 2 * w, f)
    else:
        dz = dy.astype(np.float64)
    dz = np.where(z > 0, dz, leak * dz)
    return _adjoint(x, kernel, dz), dz


def _windows(z):
    """Return the pooling windows of z: (n, rows, 2, columns, 2, filters)."""
    n, h, w, f = z.shape
    return z[:, : h // 2 * 2, : w // 2 * 2].reshape(n, h // 2, 2, w // 2, 2, f)


def _adjoint(x, kernel, dz):
    """Return the gradients of a convolution with respect to x, kernel and bias."""
    x, kernel = x.astype(np.float64), kernel.astype(np.float64)
    height, width = dz.shape[1:3]
    dx, d_kernel = np.zeros_like(x), np.zeros_like(kernel)
    for i, j in np.ndindex(kernel.shape[:2]):
        patch = x[:, i : i + height, j : j + width]
        d_kernel[i, j] = np.tensordot(patch, dz, axes=((0, 1, 2), (0, 1, 2)))
        dx[:, i : i + height, j : j + width] += dz @ kernel[i, j].T
    return dx, d_kernel, dz.sum(axis=(0, 1, 2))


def margin(x, kernel, bias, pool):
    """Return how far each output of `conv_block` is from a kink: an error below that does not change its gradient."""
    z = convolve(x, kernel) + bias
    if pool == 1:
        return np.abs(z)
    windows = _windows(z)
    n, h, _, w, _, f = windows.shape
    ranked = np.sort(windows.transpose(0, 1, 3, 5, 2, 4).reshape(n, h, w, f, 4))
    return np.minimum(np.abs(ranked[..., 3]), (ranked[..., 3] - ranked[..., 2]) / 2)


def winograd_terms(x, kernel):
    """Return the sums of the absolute values of the terms that Winograd's convolution of rows adds up.

    To first order, a rounding error is at most 2**-24 of such a sum for each rounding on the way from the arguments to
    the result (Higham, "Accuracy and Stability of Numerical Algorithms", 2nd edition, section 3.1). The sums are 7 to
    40 times those of direct sums, because terms of different points cancel.
    """
    output, _, _ = map(np.abs, _winograd(kernel.shape[1]))
    width = x.shape[2] - kernel.shape[1] + 1
    points = [convolve(*point) for point in zip(*_winograd_points(x, kernel), strict=True)]
    y = np.einsum("pnrtf,pi->nrtif", points, output)
    return y.reshape(*y.shape[:2], -1, y.shape[-1])[:, :, :width]


def winograd_gradient_terms(x, kernel, dz):
    """Return the same sums for the gradients of the convolution with respect to x, kernel and bias."""
    output, taps, columns = map(np.abs, _winograd(kernel.shape[1]))
    dz = np.abs(dz).astype(np.float64)
    tile, (n, height, width, filters) = output.shape[1], dz.shape
    tiles = -(-width // tile)
    d_tiles = np.pad(dz, ((0, 0), (0, 0), (0, tiles * tile - width), (0, 0))).reshape(n, height, tiles, tile, filters)
    d_points = np.einsum("nrtif,pi->pnrtf", d_tiles, output)
    points = [_adjoint(*point) for point in zip(*_winograd_points(x, kernel), d_points, strict=True)]
    dx_tiles = np.einsum("pnrtc,pm->nrtmc", [point[0] for point in points], columns)
    dx = np.zeros((*x.shape[:2], tile * (tiles - 1) + 8, x.shape[3]))
    for t in range(tiles):
        dx[:, :, t * tile : t * tile + 8] += dx_tiles[:, :, t]
    d_kernel = np.einsum("picf,pj->ijcf", [point[1][:, 0] for point in points], taps)
    return dx[:, :, : x.shape[2]], d_kernel, dz.sum(axis=(0, 1, 2))


def _winograd_points(x, kernel):
    """Return the absolute values of x and of the kernel at each of the eight points of its tiles."""
    output, taps, columns = map(np.abs, _winograd(kernel.shape[1]))
    x, kernel = (np.abs(array).astype(np.float64) for array in (x, kernel))
    tile, width = output.shape[1], x.shape[2] - kernel.shape[1] + 1
    x = np.pad(x, ((0, 0), (0, 0), (0, -width % tile), (0, 0)))
    tiles = np.lib.stride_tricks.sliding_window_view(x, 8, axis=2)[:, :, ::tile]
    return np.einsum("nrtcm,pm->pnrtc", tiles, columns), np.einsum("ijcf,pj->picf", kernel, taps)[:, :, None]


def _winograd(k):
    """Return the matrices of the transforms to the eight points of output tiles, of rows of the kernel and of input."""
    if k == 1:
        return np.eye(8), np.ones((8, 1)), np.eye(8)
    finite = np.array([0, 1, -1, 2, -2, 0.5, -0.5])
    powers = np.zeros((8, 8))  # the last point is infinity
    powers[:7] = finite[:, None] ** np.arange(8)
    output, taps = powers[:, : 9 - k].copy(), powers[:, :k].copy()
    output[7, -1] = taps[7, -1] = powers[7, 7] = 1
    distances = finite[:, None] - finite + np.eye(7)
    scale = np.append(distances.prod(axis=1), 1)[:, None]
    return output, taps / scale, np.linalg.inv(powers / scale).T
