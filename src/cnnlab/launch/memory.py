"""What to do when a GPU has too little memory: the same batches, computed in pieces."""

from cnnlab.run import Config

# what torch, CUDA and its libraries say
SIGNS = ("CUDA out of memory", "CUDA error: out of memory", "CUBLAS_STATUS_ALLOC_FAILED", "CUDNN_STATUS_ALLOC_FAILED")


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether it was for want of a GPU's memory."""
    return type(error).__name__ == "OutOfMemoryError" or any(sign in str(error) for sign in SIGNS)


def pieces_of(config: Config) -> int:
    """In which a process computes its share of a batch."""
    return int(config["trainer"]["micro_batches"])


def more_pieces(config: Config, pieces: int) -> int | None:
    """The next larger number of equal pieces, at least twice as many; None if each image is alone already.

    pieces: that did not do, if they are more than what the configuration asks for.
    """
    trainer, pieces = config["trainer"], max(pieces, pieces_of(config))
    share = config["datamodule"]["batch_size"] // (trainer["devices"] * trainer["num_nodes"])
    return next((more for more in range(2 * pieces, share + 1) if share % more == 0), None)


def in_pieces(config: Config, pieces: int) -> Config:
    """The same cell with at least so many pieces of a batch, and as many times fewer images tested at once."""
    pieces = max(pieces, pieces_of(config))
    at_once = config["datamodule"]["eval_batch_size"] * pieces_of(config) // pieces
    data = {**config["datamodule"], "eval_batch_size": max(1, at_once)}
    return {**config, "trainer": {**config["trainer"], "micro_batches": pieces}, "datamodule": data}


def advice(config: Config) -> str:
    """What helps."""
    pieces = more_pieces(config, 1)
    smaller = "datamodule.eval_batch_size is what one process tests at once"
    return f"trainer.micro_batches={pieces} computes a batch in pieces; {smaller}" if pieces else smaller
