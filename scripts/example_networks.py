"""Builds networks by name and counts them: a notebook in plain Python (each `# %%` begins a cell)."""

# %% A network as in its paper, whose shape is not said: ResNet-20 for CIFAR-10
import torch

from cnnlab import create_model

net = create_model("resnet20")
print(net(torch.zeros(2, 3, 32, 32)).shape)  # [2, 10]
print(f"{sum(p.numel() for p in net.parameters()):,} parameters")  # 269,722

# %% The same for grey images of 28x28 and half as wide, with another activation and no regularizer but dropout
small = create_model(
    "resnet20", in_channels=1, image_size=28, width=0.5, activation="gelu", regularizer=["none", "dropout"]
)
print(f"half as wide: {sum(p.numel() for p in small.parameters()):,} parameters")

# %% What depth costs, for images of 32x32
for depth in (20, 32, 44, 56):
    parameters = sum(p.numel() for p in create_model(f"resnet{depth}").parameters())
    print(f"resnet{depth}: {parameters / 1e6:.2f} M")
