"""Trains a network, loads it again and asks it: a notebook in plain Python (each `# %%` begins a cell)."""

# %% Train: the words of `cnnlab train`, or a mapping. The same cell again gives the result that is there
from cnnlab import fit, load_run

fitted = fit("model=lenet5", {"trainer.max_epochs": 3, "study": "example", "callbacks": "quiet"})
print(f"{fitted.folder}: {fitted.metrics['test/accuracy']:.1%} of the test images right")

# %% Load it from its folder, as any later program would
run = load_run(fitted.folder)
print(run.names, run.metrics["test/accuracy"] == fitted.metrics["test/accuracy"])

# %% Ask it: files, Pillow's images or arrays. Here ten digits of scikit-learn, brought to 0..255
import numpy as np  # noqa: E402
from sklearn.datasets import load_digits  # noqa: E402

images = (load_digits().images[:10] * (255 / 16)).round().astype(np.uint8)
for true, likeliest in enumerate(run.predict(list(images), top=2)):
    print(true, "->", ", ".join(f"{name} ({probability:.0%})" for name, probability in likeliest))

# %% Or take the network itself: logits of normalised images
print(run.net(run.preprocess(list(images))).shape)  # [10, 10]
