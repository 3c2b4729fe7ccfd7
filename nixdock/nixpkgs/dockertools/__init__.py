"""The builders of `dockerTools`: what runs in Nix's sandbox to make layers and images.

Standard library only, and only relative imports: the sandbox sees this directory alone. `layer_tar`,
`image_config` and `base_image` serve nixdock's own reader of streamed images as well.
"""
