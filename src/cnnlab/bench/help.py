"""What `cnnlab bench` says of itself."""

BENCH_HELP = """cnnlab bench accuracy [rounds=1] [goal=0.91] [workers=0] [group=choice ...] [key=value ...]

Seconds until val/accuracy first reaches the goal, from the start of training and from that of the command: `cnnlab
train` against the loop of the usual templates (images one by one from a DataLoader with so many workers, metrics and
self.log in each step, a bar, checkpoints, CSV), with the same network, initial weights, optimizer, schedule and images;
levers (trainer.fast, channels_last, compile) are cnnlab's alone. Both take turns, round by round, each round with
another seed. Without other words: experiment=fashion_mnist_fast; fashion_mnist_resnet_fast and cifar10_fast have goals
of their own, for others goal= must be given. A quick look: goal=0.8 trainer.max_epochs=2. Writes table.md, bench.json
and a chart of accuracy against seconds (PNG, SVG) to runs/bench/accuracy/, of other experiments to
runs/bench/accuracy-<experiment>/.

cnnlab bench data [rounds=5] [images=N] [group=choice ...] [key=value ...]

Images a second of both feeds, against a plain DataLoader with albumentations image by image and against no
augmentation; for images in files also against the decoder alone. All take turns, round by round; the table has
medians and ratios. Without other words: synthetic images of 32 pixels, augment=standard. Writes table.md, bench.json
and a chart (PNG, SVG) to runs/bench/data-<datamodule>-<augment>/.

cnnlab bench grid [rounds=1] [cells=16] [jobs=2] [fresh=4] [group=choice ...] [key=value ...]

Cells a minute of a sweep over seeds, from the start of the command to its end: `cnnlab train -m` with so many jobs, a
fresh process for each cell, Hydra's basic launcher (all cells in one process), and joblib with as many workers. All
take turns, each with a new folder; of fresh processes only so many are run, and the rate holds for all. Also what an
empty cell costs. Without other words: LeNet-5, one epoch of 10,000 images of Fashion-MNIST, or of synthetic ones of the
same shape where that is not there. Writes table.md, bench.json and a chart (PNG, SVG) to runs/bench/grid/.

cnnlab bench overhead [rounds=5] [steps=300] [key=value ...]

What a training step costs beside its arithmetic, on the CPU: cnnlab with progress bar, scores, checkpoints and curves
on, against a bare PyTorch loop on the same batches, Lightning with nothing on, and the habits of the usual templates
(metrics and self.log in each step, a bar that moves each step). For a network of one layer, and for LeNet-5 at batch
128. Writes table.md, bench.json and charts (PNG, SVG) to runs/bench/overhead/.

cnnlab bench start [rounds=5]

Seconds of --help against `import hydra`, from the start of the process to the first optimizer step of a run against
torch alone, and the memory of a run; all also against a template that imports everything at its top. Then the memory of
a sweep's processes, with shared pages counted once. Writes table.md and bench.json to runs/bench/start/.

cnnlab bench models [models=all] [batch_size=N] [seconds=2] [group=choice ...] [key=value ...]

Training and inference images a second, peak memory (without a GPU that of the whole process), parameters, GMACs, and
achieved FLOP/s as a share of what a product of two large matrices reaches on the same device; a training step counts as
three forward passes. Each network has a process of its own and `seconds` for each of the two; one that fails or finds
too little memory is a line of the table. A batch of noise lies on the device: no data, no Lightning. Without other
words: synthetic images of 32 pixels (datamodule.image_size=224 makes them larger), batches of 16, on a GPU 256. A quick
turn: models=lenet5,resnet20 seconds=0.5.
Writes table.md, bench.json, bench.csv (columns as in timm's benchmark tables) and a chart (PNG, SVG) to
runs/bench/models/.

cnnlab bench levers [models=families] [rounds=5] [seconds=0.5] [batch_size=N] [compile=false] [group=choice ...]
                    [key=value ...]

What each lever of trainer.* buys in a training step: ratios of images/s to float32 without any of them. All levers of
a network take turns, each for about `seconds`, round by round. models=families: of each network class the variant with
the fewest operations. compile=true adds trainer.compile, which takes a minute or more for each network to begin. Says
what trainer.fast turns on here. Batches are as in bench models; without batch_size and on a CPU heavy networks get
fewer images, two at least. Writes table.md and bench.json to runs/bench/levers/.

cnnlab bench ddp [rounds=5] [steps=N] [ranks=1,2,4] [step_ms=T] [gpus=8,64,100] [intra=300] [inter=12.5,1.25]
                 [group=choice ...] [key=value ...]

Images a second of N processes that train together (DDP), against one process without DDP; each number of ranks takes
its turn, round by round. Weak scaling: here datamodule.batch_size is what each rank computes in a step, while in
training all ranks share it. Without `ranks`: 1, 2, 4, ... and all GPUs, or without GPUs all cores; on a CPU every rank
has as many threads, however many ranks there are. The all-reduce share is what the sum of gradients adds to a step
beyond what hides behind backward: 1 - seconds without it / seconds with it. Without other words: model=resnet20,
synthetic images of 32 pixels. No data are read: a batch of noise lies on the device, without metrics and without
Lightning's loop. `steps` is how many are timed at once.

From a step's seconds on one rank and the bytes of the gradients it also predicts, without measuring, what many GPUs in
nodes of 8 would reach, from an all-reduce that hides behind nothing to one that hides behind all of backward. `intra`
and `inter` are GB/s of a GPU inside a node and of a node to others. step_ms=T puts T milliseconds of compute in place
of what was measured, say another device's; with rounds=0 nothing is measured.
Writes table.md, bench.json and a chart (PNG, SVG) to runs/bench/ddp-<model>-<datamodule>/.
"""
