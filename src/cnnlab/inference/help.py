"""What eval, predict and export say of themselves."""

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
