"""What the commands say of themselves."""

from cnnlab.bench.help import BENCH_HELP
from cnnlab.look.help import LOOK_HELP
from cnnlab.serve.help import SERVE_HELP

HELP = """cnnlab: compare classic CNNs honestly.

Train one network:
  cnnlab train                                  LeNet-5 on digits, in seconds
  cnnlab train model=resnet20 datamodule=fashion_mnist
  cnnlab train model=vgg16 optim=nesterov optim.lr=0.01
  cnnlab train 'regularizer=[none,dropout]'     nothing but dropout
  cnnlab train --help                           all groups with their choices
  cnnlab train --cfg job                        the configuration, without a run

Train a grid; the same command again goes on with it:
  cnnlab train -m model=lenet5,resnet20 'seed=range(5)'
  cnnlab plan model=lenet5,resnet20 'seed=range(5)'     what it would take
  cnnlab status [STUDY]                                 how it is getting on

See what it shows:
  cnnlab report STUDY     what each ingredient bought: tables, tests, a page
  cnnlab report RUN       the page of one run
  cnnlab dashboard STUDY  a workspace and a report in W&B
  cnnlab compare RUN RUN  two runs: configuration, curves, image by image

Use what was trained:
  cnnlab look run=RUN                           mistakes, filters, Grad-CAM, ...
  cnnlab eval run=RUN                           its test again, or on other data
  cnnlab predict run=RUN input=photos           what it takes images for
  cnnlab export run=RUN format=onnx             for other programs
  cnnlab serve run=RUN                          a page to try it out

Look around:
  cnnlab models [WORD]                          the networks
  cnnlab data datamodule=fashion_mnist          counts, duplicates, a picture
  cnnlab bench data|grid|models|levers|ddp      how fast it is, against others
  cnnlab init FOLDER                            a project with code of your own
  cnnlab completion bash|zsh|fish               makes Tab complete all this
  cnnlab COMMAND --help, cnnlab --version

--quiet after any command: warnings and errors alone.
"""

TRAIN_HELP = """cnnlab train [group=choice ...] [key=value ...]      one run
cnnlab train -m key=value,value ...                  a sweep; also seed=range(5)

  hydra/launcher=local    a sweep's cells on this machine (the default);
                          slurm: as jobs, ray: on a Ray cluster
  hydra.launcher.jobs=2   cells at once; conf/hydra/launcher/ explains others
  study.on_code_change=retrain
                          cells that other code has trained are trained anew;
                          warn (the default), or error
  --cfg job [--resolve]   the composed configuration, without running it
  --config-dir DIR        a folder with configuration of your own; ./conf is
                          found by itself
  --hydra-help            Hydra's own options

Groups and their choices (lists compose for regularizer, callbacks and logger:
'regularizer=[none,dropout]'):
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
  --watch   again every two seconds, until nobody trains them any more
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

EVAL_HELP = """cnnlab eval run=RUN [key=value ...]      RUN is the folder of a run

Rebuilds network and data from the folder alone and tests again: the same
figures to the last digit. Writes eval.json and predictions.npz to RUN/eval/.

  run=[RUN,RUN,RUN]       several: each, and the mean of their probabilities
  datamodule=fashion_mnist, datamodule.data_dir=DIR, ...
                          other images, shown as the network is used to
  tta=flip                the mean over views: flip, shift, flip_shift
  corruptions=all         accuracy under ten corruptions at five severities;
                          or [gaussian_noise,jpeg,...]; a table and a plot
  shuffled_labels=true    what chance would reach, as a control
  output=DIR              instead of RUN/eval/<data set>
"""

PREDICT_HELP = """cnnlab predict run=RUN input=IMAGES [output=predictions.csv] [key=value ...]

Writes a row for each image file: the likeliest classes with their
probabilities. It reads a batch at a time, so that a million files take no
more memory than a hundred.

  input=photos            a file, a folder with all below it, or 'photos/*.jpg'
  output=predictions.csv  or .jsonl, or .parquet (pip install 'cnnlab[parquet]')
  top=5                   so many classes
  batch_size=64           images at once
  on_bad=error            files that cannot be read are named at the end, with
                          exit code 2; skip: with exit code 0
"""

EXPORT_HELP = """cnnlab export run=RUN [format=onnx] [key=value ...]

Writes RUN/export/model.onnx with a model card, after its outputs were
compared with the network's on real test images.

  format=onnx             or torch_export, torchscript, safetensors (weights)
  preprocess=true         it takes pixels in 0..1 and normalises them itself
  images=64               that are compared; tolerance=1e-3 of their outputs
  output=FILE             instead of RUN/export/
"""

INIT_HELP = """cnnlab init FOLDER      a small project of your own, in a new folder

Writes a network, a data set and a recipe of your own, with their
configuration, and a README that says how they are trained.
"""

COMPLETION_HELP = """cnnlab completion bash|zsh|fish      makes Tab complete commands, groups, choices, keys

  bash   echo 'source <(cnnlab completion bash)' >> ~/.bashrc
  zsh    echo 'source <(cnnlab completion zsh)' >> ~/.zshrc
  fish   cnnlab completion fish > ~/.config/fish/completions/cnnlab.fish
"""

HELP_OF = {
    "plan": PLAN_HELP,
    "status": STATUS_HELP,
    "report": REPORT_HELP,
    "dashboard": DASHBOARD_HELP,
    "compare": COMPARE_HELP,
    "eval": EVAL_HELP,
    "predict": PREDICT_HELP,
    "export": EXPORT_HELP,
    "serve": SERVE_HELP,
    "data": DATA_HELP,
    "bench": BENCH_HELP,
    "models": MODELS_HELP,
    "init": INIT_HELP,
    "completion": COMPLETION_HELP,
    "look": LOOK_HELP,
}
