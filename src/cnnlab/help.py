"""What the commands say of themselves."""

HELP = """cnnlab: compare classic CNNs honestly.

  cnnlab train                                              LeNet-5 on handwritten digits, in seconds
  cnnlab train model=resnet20 datamodule=fashion_mnist      another network, other data
  cnnlab train model=vgg16 optim=nesterov optim.lr=0.01     another optimizer
  cnnlab train 'regularizer=[none,dropout]'                 nothing but dropout; [all,no_dropout] leaves it out
  cnnlab train -m model=lenet5,resnet20 'seed=range(5)'     a grid; the same command again goes on with it

  cnnlab plan model=lenet5,resnet20 'seed=range(5)'         what a grid would train and take, without training it
  cnnlab status                                             the studies; with a name, what became of its cells
  cnnlab report runs/STUDY                                  what each ingredient bought: tables, tests, plots, a page
  cnnlab dashboard runs/STUDY                               the study's workspace and report in W&B
  cnnlab compare runs/STUDY/CELL runs/STUDY/CELL            two runs: configuration, curves, image by image

  cnnlab data datamodule=fashion_mnist augment=standard     counts, colours, duplicates, a picture of what is trained on
  cnnlab bench data                                         how fast images are fed, against a plain DataLoader
  cnnlab bench grid                                         how fast a sweep runs, against other launchers
  cnnlab bench ddp                                          how fast N processes train, against one
  cnnlab models               the networks: year, depth, parameters, FLOPs, what each introduced
  cnnlab train --help         all groups with their choices
  cnnlab train --cfg job      the composed configuration of a command, without running it
  cnnlab --version
"""

TRAIN_HELP = """cnnlab train [group=choice ...] [key=value ...]      one run
cnnlab train -m key=value,value ...                  a sweep; also seed=range(5)

  hydra/launcher=local    a sweep's cells on this machine (the default), slurm: as jobs, ray: on a Ray cluster
  hydra.launcher.jobs=2   cells at once; conf/hydra/launcher/ explains the other keys
  study.on_code_change=retrain   cells that other code has trained are trained anew; warn (the default), or error
  --cfg job [--resolve]   the composed configuration, without running it
  --config-dir DIR        a folder with configuration of your own; ./conf is found by itself
  --hydra-help            Hydra's own options

Groups and their choices (lists compose for regularizer, callbacks and logger: 'regularizer=[none,dropout]'):
"""

PLAN_HELP = """cnnlab plan [--all] <the words of `cnnlab train -m`>      trains nothing

Lists the cells and says which are done, new, half done, illegal or there twice. A few steps of each kind of cell that
is not done are trained here, from which time, memory and disk are predicted, for each cell and for all. Exits with 1 if
the sweep would not come to its end.

  --all                             lists all cells, not only the first 40
  hydra.launcher.jobs=2             cells at once, as in training
  hydra.launcher.rehearse=false     only lists; predicts nothing
  --wandb-sweep                     writes the sweep as YAML for `wandb sweep`, whose agents then call cnnlab train
"""

STATUS_HELP = """cnnlab status [study ...] [--watch] [--json] [--all]      how sweeps are getting on

  study     a folder, or its name below runs/; without one, all studies there, the newest first
  --watch   again every two seconds, until nothing runs any more and nothing is missing
  --json    one JSON object, with all cells of the studies that are named
  --all     all cells; else at most 20 in each state

A cell is done or running; failed (an error) or diverged (the loss is no number any more); interrupted, or killed (its
process is gone), and goes on with the same command; missing (in study.json, but not begun); older (not in study.json);
or unreadable. The time to go assumes that cells take as long as those that are done did.
"""

REPORT_HELP = """cnnlab report STUDY [option ...]      what a study shows; STUDY is a folder, or its name below runs/
cnnlab report RUN                     the same page of a single run: curves, calibration, classes, configuration

Prints the main table and what the tests say; writes to STUDY/report/: index.html (one file, works offline), table.csv,
table.md, table.tex, report.json, and each plot as SVG and PNG. Reads the study's folders, and nothing else.

  --rows model,optim         the factors in the rows of the main table
  --columns regularizer      those in its columns
  --metric test/accuracy     or any other that every finished cell has
  --baseline optim=sgd       the level that a factor's others are compared with; again for other factors
  --watch                    again whenever a cell has changed its state, until none is left; the page reloads itself
  --output DIR               instead of STUDY/report
  --wandb                    sends the table and the plots to W&B, as a run of the study's group

Factors are what differs between cells. Cells that differ in the seed only are replicates: differences are paired by
seed, with 95 % intervals, and p-values are Holm's over each family of comparisons. Failed and missing cells are listed;
a diverged one counts as chance.
"""

DASHBOARD_HELP = """cnnlab dashboard STUDY [--metric test/accuracy]      STUDY is a folder, or its name below runs/

Makes a workspace and a report in W&B of a study whose cells were trained with logger=wandb: curves grouped by network,
parallel coordinates, parameter importance, accuracy against FLOPs, the ablation table. Prints their addresses; given
again, it renews both. Without a key or a network it writes what would be saved to STUDY/report/dashboard.json.
Needs wandb-workspaces: pip install 'cnnlab[dashboard]'
"""

COMPARE_HELP = """cnnlab compare RUN RUN [--output DIR]      two runs, by their folders

Prints what differs between their configurations, their metrics, and whether they get different test images right
(McNemar's test); writes a page with their curves to runs/compare/.
"""

MODELS_HELP = """cnnlab models [word ...]      the networks, or those whose names contain one of the words

  depth: layers with weights on the longest way, or the paper's where it counts otherwise
  FLOPs: of one image of the paper's size, a multiply-add counted as two
"""

DATA_HELP = """cnnlab data [group=choice ...] [key=value ...]      looks at data as `cnnlab train` would use them

Prints the images of each class in train, val and test, mean and std of the channels, and images that are there twice;
writes contact_sheet.png (originals, and what training makes of them), classes.csv and data.json to
runs/data/<datamodule>-<augment>/.
"""

BENCH_HELP = """cnnlab bench data [rounds=5] [images=N] [group=choice ...] [key=value ...]

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

HELP_OF = {
    "plan": PLAN_HELP,
    "status": STATUS_HELP,
    "report": REPORT_HELP,
    "dashboard": DASHBOARD_HELP,
    "compare": COMPARE_HELP,
    "data": DATA_HELP,
    "bench": BENCH_HELP,
    "models": MODELS_HELP,
}
