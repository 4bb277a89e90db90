"""The whole-clip VAE in the layout that a GPU likes: channels last, every 3x3x3 causal convolution as one 2-D convolution.

Activations are [B, T, H, W, C]. A Triton kernel does RMS norm and SiLU and writes the frames t-2, t-1, t side by side
(3C channels), so that cuDNN's 2-D tensor-core kernels do the rest. Same parameters and same numbers as whole_vae.py.

usage: fast_vae.py      compares outputs and gradients with whole_vae.py; TRITON_INTERPRET=1 does so without a GPU
"""
import os

import torch
import torch.nn.functional as F
import triton
import triton.language as tl


@triton.jit
def _forward_kernel(X, G, O, M, T, HW, C: tl.constexpr, CP: tl.constexpr, BS: tl.constexpr):
    # M pixels of C channels (CP: the next power of two), BS pixels a program. The pixel at frame t goes to the slot
    # 2-d of frame t+d; the first frames' empty slots are zero.
    m = tl.program_id(0).to(tl.int64) * BS + tl.arange(0, BS)
    c = tl.arange(0, CP)
    t = (m // HW) % T
    ok = (m[:, None] < M) & (c[None, :] < C)
    x = tl.load(X + m[:, None] * C + c[None, :], mask=ok, other=0.0).to(tl.float32)
    g = tl.load(G + c, mask=c < C, other=0.0)
    inv = 1.0 / tl.maximum(tl.sqrt(tl.sum(x * x, 1)), 1e-12)
    y = x * inv[:, None] * g[None, :]
    y = (y * tl.sigmoid(y)).to(O.dtype.element_ty)
    for k in tl.static_range(3):
        d = 2 - k
        tl.store(O + (m[:, None] + d * HW) * (3 * C) + k * C + c[None, :], y, mask=ok & (t[:, None] + d < T))
        if d > 0:
            tl.store(O + m[:, None] * (3 * C) + k * C + c[None, :], y * 0.0, mask=ok & (t[:, None] < d))


@triton.jit
def _backward_kernel(X, G, DO, DX, DG, M, T, HW, C: tl.constexpr, CP: tl.constexpr, BS: tl.constexpr):
    pid = tl.program_id(0)
    m = pid.to(tl.int64) * BS + tl.arange(0, BS)
    c = tl.arange(0, CP)
    t = (m // HW) % T
    ok = (m[:, None] < M) & (c[None, :] < C)
    x = tl.load(X + m[:, None] * C + c[None, :], mask=ok, other=0.0).to(tl.float32)
    g = tl.load(G + c, mask=c < C, other=0.0)
    do = tl.zeros((BS, CP), tl.float32)
    for k in tl.static_range(3):
        d = 2 - k
        slot = DO + (m[:, None] + d * HW) * (3 * C) + k * C + c[None, :]
        do += tl.load(slot, mask=ok & (t[:, None] + d < T), other=0.0).to(tl.float32)
    inv = 1.0 / tl.maximum(tl.sqrt(tl.sum(x * x, 1)), 1e-12)
    h = x * inv[:, None]
    y = h * g[None, :]
    sg = tl.sigmoid(y)
    do = do * sg * (1.0 + y * (1.0 - sg))
    gd = do * g[None, :]
    dx = inv[:, None] * (gd - h * tl.sum(gd * h, 1)[:, None])
    tl.store(DX + m[:, None] * C + c[None, :], dx.to(DX.dtype.element_ty), mask=ok)
    tl.store(DG + pid * C + c, tl.sum(do * h, 0), mask=c < C)


class NormSiluShift(torch.autograd.Function):
    """[B, T, H, W, C] -> [B, T, H, W, 3C]: RMS norm, SiLU, frames t-2, t-1, t side by side."""

    @staticmethod
    def forward(ctx, x, gamma, scale):
        x = x.contiguous()
        b, t, h, w, c = x.shape
        pixels, padded = b * t * h * w, triton.next_power_of_2(c)
        block = max(16, 8192 // padded)
        programs = triton.cdiv(pixels, block)
        g = (gamma.detach().float().reshape(-1) * scale).contiguous()
        out = torch.empty(b, t, h, w, 3 * c, device=x.device, dtype=x.dtype)
        _forward_kernel[(programs,)](x, g, out, pixels, t, h * w, C=c, CP=padded, BS=block, num_warps=8)
        ctx.save_for_backward(x, g)
        ctx.sizes = (scale, padded, block, programs, gamma.shape)
        return out

    @staticmethod
    def backward(ctx, grad):
        x, g = ctx.saved_tensors
        scale, padded, block, programs, gamma_shape = ctx.sizes
        b, t, h, w, c = x.shape
        grad = grad.contiguous()
        dx = torch.empty_like(x)
        dg = torch.empty(programs, c, device=x.device, dtype=torch.float32)
        _backward_kernel[(programs,)](x, g, grad, dx, dg, b * t * h * w, t, h * w, C=c, CP=padded, BS=block, num_warps=8)
        return dx, (dg.sum(0) * scale).view(gamma_shape), None


def conv2d(x, weight, bias, stride=1, padding=1):
    batch, frames = x.shape[:2]
    weight = weight.contiguous(memory_format=torch.channels_last)
    y = F.conv2d(x.flatten(0, 1).permute(0, 3, 1, 2), weight, bias, stride, padding)
    return y.permute(0, 2, 3, 1).contiguous().unflatten(0, (batch, frames))


def folded(weight):
    """[O, I, 3, kh, kw] -> [O, 3I, kh, kw]: the time axis among the input channels."""
    return weight.permute(0, 2, 1, 3, 4).reshape(weight.shape[0], -1, *weight.shape[3:])


def shifts(x):
    """Frames t-2, t-1, t side by side, from a zero history."""
    p = F.pad(x, (0, 0, 0, 0, 0, 0, 2, 0))
    return torch.cat([p[:, :-2], p[:, 1:-1], p[:, 2:]], -1)


def norm_conv(norm, conv, x):
    """Norm, SiLU and causal convolution. Output channels are padded to a multiple of 8 for the tensor cores."""
    weight, bias = folded(conv.weight), conv.bias
    out = weight.shape[0]
    pad = -out % 8
    if pad:
        weight, bias = F.pad(weight, (0, 0, 0, 0, 0, 0, 0, pad)), F.pad(bias, (0, pad))
    if x.is_cuda or os.environ.get("TRITON_INTERPRET"):
        x = NormSiluShift.apply(x, norm.gamma, norm.scale)
    else:
        x = shifts(F.silu(F.normalize(x, dim=-1) * (norm.gamma.view(-1) * norm.scale)))
    y = conv2d(x, weight, bias)
    return y[..., :out] if pad else y


def plain_conv(conv, x):
    """A causal convolution without norm. Input channels are padded to a multiple of 8."""
    weight = conv.weight
    pad = -weight.shape[1] % 8
    if pad:
        weight, x = F.pad(weight, (0, 0, 0, 0, 0, 0, 0, pad)), F.pad(x, (0, pad))
    return conv2d(shifts(x), folded(weight), conv.bias)


def pointwise(conv, x):
    return F.linear(x, conv.weight.flatten(1), conv.bias)


def residual(m, x):
    shortcut = x if isinstance(m.conv_shortcut, torch.nn.Identity) else pointwise(m.conv_shortcut, x)
    return shortcut + norm_conv(m.norm2, m.conv2, norm_conv(m.norm1, m.conv1, x))


def attention(m, x):
    b, t, h, w, c = x.shape
    y = (F.normalize(x.float(), dim=-1) * (m.norm.gamma.view(-1) * m.norm.scale)).to(x.dtype)
    q, k, v = pointwise(m.to_qkv, y).view(b * t, 1, h * w, 3 * c).chunk(3, -1)
    return x + pointwise(m.proj, F.scaled_dot_product_attention(q, k, v).reshape(b, t, h, w, c))


def middle(m, x):
    x = residual(m.resnets[0], x)
    for attn, resnet in zip(m.attentions, m.resnets[1:]):
        x = residual(resnet, attention(attn, x))
    return x


def downsample(m, x):
    conv = m.resample[1]
    x = conv2d(F.pad(x, (0, 0, 0, 1, 0, 1)), conv.weight, conv.bias, stride=2, padding=0)
    if x.shape[1] < 3:
        return x
    three = torch.cat([x[:, 0:-2:2], x[:, 1:-1:2], x[:, 2::2]], -1)
    return torch.cat([x[:, :1], F.linear(three, folded(m.time_conv.weight).flatten(1), m.time_conv.bias)], 1)


def upsample(m, x):
    b, t, h, w, c = x.shape
    if t > 1:
        y = F.linear(shifts(x[:, 1:]), folded(m.time_conv.weight).flatten(1), m.time_conv.bias)
        y = y.view(b, t - 1, h, w, 2, c).permute(0, 1, 4, 2, 3, 5).reshape(b, 2 * t - 2, h, w, c)
        x = torch.cat([x[:, :1], y], 1)
    t = x.shape[1]
    x = x[:, :, :, None, :, None].expand(b, t, h, 2, w, 2, c).reshape(b, t, 2 * h, 2 * w, c)
    return conv2d(x, m.resample[1].weight, m.resample[1].bias)


def encode(vae, x):
    from diffusers.models.autoencoders.autoencoder_kl_wan import patchify

    encoder = vae.encoder
    x = plain_conv(encoder.conv_in, patchify(x, 2).permute(0, 2, 3, 4, 1))
    for m in encoder.down_blocks:
        x = downsample(m, x) if hasattr(m, "resample") else residual(m, x)
    x = norm_conv(encoder.norm_out, encoder.conv_out, middle(encoder.mid_block, x))
    return pointwise(vae.quant_conv, x).permute(0, 4, 1, 2, 3).chunk(2, 1)


def decode(vae, z):
    from diffusers.models.autoencoders.autoencoder_kl_wan import unpatchify

    decoder = vae.decoder
    x = plain_conv(decoder.conv_in, pointwise(vae.post_quant_conv, z.permute(0, 2, 3, 4, 1)))
    x = middle(decoder.mid_block, x)
    for block in decoder.up_blocks:
        for resnet in block.resnets:
            x = residual(resnet, x)
        if block.upsamplers is not None:
            x = upsample(block.upsamplers[0], x)
    x = norm_conv(decoder.norm_out, decoder.conv_out, x)
    return unpatchify(x.permute(0, 4, 1, 2, 3).contiguous(), 2)


def main():
    import whole_vae

    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(0)
    vae = whole_vae.make().to(device)
    for p in vae.parameters():
        p.data += 0.02 * torch.randn_like(p)
    x = torch.rand(2, 3, 9, 16, 24, device=device) * 2 - 1
    results = []
    for to_latent, to_video in ((whole_vae.encode, whole_vae.decode), (encode, decode)):
        vae.zero_grad()
        mean, log_variance = to_latent(vae, x)
        y = to_video(vae, mean)
        (y.square().mean() + log_variance.square().mean()).backward()
        results.append([mean.detach(), log_variance.detach(), y.detach()] + [p.grad.clone() for p in vae.parameters()])
    worst = max(((a - b).abs().max() / (a.abs().max() + 1e-6)).item() for a, b in zip(*results))
    print(f"largest relative difference of outputs and gradients: {worst:.1e}")
    assert worst < (5e-2 if device == "cuda" else 1e-3), worst  # TF32 on a GPU


if __name__ == "__main__":
    main()
