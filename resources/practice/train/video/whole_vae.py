"""AutoencoderKLWan evaluated on a whole clip at once, for training.

diffusers runs this VAE one latent frame at a time with caches of past features. That is exact but slow to train. The
functions here use the same modules and parameters and give the same numbers in one pass, because every convolution is
causal in time.

usage: whole_vae.py      compares with the class's own encode and decode
"""
import json
import pathlib

import torch
import torch.nn as nn
import torch.nn.functional as F

CONFIG = dict(
    base_dim=24,
    z_dim=8,
    dim_mult=[1, 2, 4],
    num_res_blocks=1,
    temperal_downsample=[True, True],
    is_residual=False,
    in_channels=12,
    out_channels=12,
    patch_size=2,
    scale_factor_temporal=4,
    scale_factor_spatial=8,
    latents_mean=[0.0] * 8,
    latents_std=[1.0] * 8,
)


def make(**changes):
    from diffusers import AutoencoderKLWan

    return AutoencoderKLWan(**{**CONFIG, **changes})


def is_there(folder):
    """Whether a folder holds a trained VAE: as train_vae.py writes it, or as a pipeline's folder."""
    folder = pathlib.Path(folder)
    return (folder / "vae.json").exists() or (folder / "config.json").exists()


def load(folder, device):
    """(VAE in float32, latents' mean, latents' standard deviation) of such a folder."""
    from safetensors.torch import load_file

    folder = pathlib.Path(folder)
    trained = (folder / "vae.json").exists()
    statistics = json.loads((folder / ("vae.json" if trained else "config.json")).read_text())
    weights = load_file(folder / ("vae.safetensors" if trained else "diffusion_pytorch_model.safetensors"))
    vae = make().to(device).eval().requires_grad_(False)
    vae.load_state_dict({k: v.float() for k, v in weights.items()})
    return vae, statistics["latents_mean"], statistics["latents_std"]


def norm(m, x):
    """WanRMS_norm."""
    return F.normalize(x.float(), dim=1).to(x.dtype) * (m.gamma * m.scale).to(x.dtype)


def residual(m, x):
    """WanResidualBlock."""
    shortcut = m.conv_shortcut(x)
    x = m.conv1(F.silu(norm(m.norm1, x)))
    return shortcut + m.conv2(F.silu(norm(m.norm2, x)))


def attention(m, x):
    """WanAttentionBlock: the pixels of a frame attend to each other."""
    b, c, t, h, w = x.shape
    y = x.transpose(1, 2).reshape(b * t, c, h, w)
    y = m.to_qkv(norm(m.norm, y)).reshape(b * t, 3, c, h * w).transpose(2, 3)
    y = F.scaled_dot_product_attention(y[:, None, 0], y[:, None, 1], y[:, None, 2])[:, 0]
    y = m.proj(y.transpose(1, 2).reshape(b * t, c, h, w))
    return x + y.view(b, t, c, h, w).transpose(1, 2)


def middle(m, x):
    x = residual(m.resnets[0], x)
    for attn, resnet in zip(m.attentions, m.resnets[1:]):
        x = residual(resnet, attention(attn, x))
    return x


def downsample(m, x):
    """Halves the picture and the frames: the first frame passes, a stride-2 convolution runs over all of them."""
    conv = m.resample[1]
    x = F.conv3d(F.pad(x, (0, 1, 0, 1)), conv.weight.unsqueeze(2), conv.bias, stride=(1, 2, 2))
    return torch.cat([x[:, :, :1], m.time_conv(x)], 2) if x.shape[2] > 2 else x


def upsample(m, x):
    """Doubles the frames but the first, starting from a zero history, and the picture."""
    b, c, t, h, w = x.shape
    if t > 1:
        y = m.time_conv(x[:, :, 1:]).view(b, 2, c, t - 1, h, w).permute(0, 2, 3, 1, 4, 5)
        x = torch.cat([x[:, :, :1], y.reshape(b, c, 2 * t - 2, h, w)], 2)
    conv = m.resample[1]
    x = F.interpolate(x, scale_factor=(1.0, 2.0, 2.0), mode="nearest")
    return F.conv3d(x, conv.weight.unsqueeze(2), conv.bias, padding=(0, 1, 1))


def encode(vae, x):
    """[B, 3, 1+4k, H, W] -> mean and log-variance, [B, z, 1+k, H/8, W/8] each."""
    from diffusers.models.autoencoders.autoencoder_kl_wan import patchify

    encoder = vae.encoder
    x = encoder.conv_in(patchify(x, 2))
    for m in encoder.down_blocks:
        x = downsample(m, x) if hasattr(m, "resample") else residual(m, x)
    x = encoder.conv_out(F.silu(norm(encoder.norm_out, middle(encoder.mid_block, x))))
    return vae.quant_conv(x).chunk(2, 1)


def decode(vae, z):
    """[B, z, 1+k, h, w] -> [B, 3, 1+4k, 8h, 8w], not clamped."""
    from diffusers.models.autoencoders.autoencoder_kl_wan import unpatchify

    decoder = vae.decoder
    x = middle(decoder.mid_block, decoder.conv_in(vae.post_quant_conv(z)))
    for block in decoder.up_blocks:
        for resnet in block.resnets:
            x = residual(resnet, x)
        if block.upsamplers is not None:
            x = upsample(block.upsamplers[0], x)
    return unpatchify(decoder.conv_out(F.silu(norm(decoder.norm_out, x))), 2)


def codec(device):
    """(encode, decode) for a device: on a GPU the same functions in a faster layout."""
    if str(device).startswith("cuda"):
        import fast_vae

        return fast_vae.encode, fast_vae.decode
    return encode, decode


class Autoencoder(nn.Module):
    """The training forward: reconstruction, mean, log-variance."""

    def __init__(self, vae):
        super().__init__()
        self.vae = vae

    def forward(self, x):
        to_latent, to_video = codec(x.device)
        mean, log_variance = to_latent(self.vae, x)
        z = mean + torch.randn_like(mean) * (0.5 * log_variance.clamp(-20, 5)).exp()
        return to_video(self.vae, z), mean, log_variance


@torch.no_grad()
def main():
    device = "cuda" if torch.cuda.is_available() else "cpu"
    tolerance = 2e-2 if device == "cuda" else 1e-4  # TF32 on a GPU
    torch.manual_seed(0)
    vae = make().eval().to(device)
    for p in vae.parameters():
        p += 0.02 * torch.randn_like(p)
    for frames in (1, 5, 17, 33):
        x = torch.rand(1, 3, frames, 64, 48, device=device) * 2 - 1
        reference = vae.encode(x).latent_dist
        mean, log_variance = encode(vae, x)
        z = torch.randn_like(mean)
        differences = [
            (mean - reference.mean).abs().max().item(),
            (log_variance.clamp(-30, 20) - reference.logvar).abs().max().item(),
            (vae.decode(z).sample - decode(vae, z).clamp(-1, 1)).abs().max().item(),
        ]
        print(f"{frames} frames: difference of mean %.1e, log-variance %.1e, decoded %.1e" % tuple(differences))
        assert max(differences) < tolerance, differences


if __name__ == "__main__":
    main()
