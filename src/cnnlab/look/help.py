"""What `cnnlab look` says of itself."""

LOOK_HELP = """cnnlab look run=RUN [pictures=...] [images=16] [class=NAME] [output=DIR]      pictures of a trained run

Writes PNG files to RUN/pictures/. It needs the run's folder and its data set only. Images are those of the test set,
or, where the run has not tested, of the validation set.

  pictures=filters,grad_cam   these; all: every one. Without it, those that take seconds
  images=16                   so many images where a picture shows some
  class=cat                   of one class, by its name or number
  allowed_packages=mine       packages of yours that its configuration may name, as in training

  batch                    the first images that training showed the network, as it saw them
  class_inputs *           inputs that the network takes for each class (Simonyan et al., 2014)
  confusion                which classes are taken for which
  deconvolution            which pixels a network running backwards paints (Zeiler and Fergus, 2014)
  diagram                  the network, stage by stage, with shapes, weights and FLOPs
  distributions            sizes of activations and gradients in each layer, at the beginning and with the best weights
  distributions_over_time  the same while it trained, where callbacks=[default,pictures] has recorded them
  feature_maps             what the stages make of one image
  filters                  what the first convolution looks for
  grad_cam                 where the network looks (Selvaraju et al., 2017)
  guided_backprop          which pixels speak for the class (Springenberg et al., 2015)
  landscape *              the loss around the best weights (Li et al., 2018)
  lr_finder *              a range test of the learning rate (Smith, 2017)
  mistakes                 the images that the network is surest about, and wrong

* takes longer. Needs matplotlib and captum: pip install 'cnnlab[pictures]'
"""
