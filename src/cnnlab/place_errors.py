"""What a disk or a folder says of itself: nothing against the checkpoints that are there."""

import errno

from cnnlab.errors import DiskFull, UserError

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
CLOSED = (errno.EROFS, errno.EIO, errno.EACCES, errno.EPERM, errno.EISDIR, errno.ENOTDIR, errno.ESTALE)
TOO_MANY = (errno.EMFILE, errno.ENFILE)
OF_THE_PLACE = (*NO_ROOM, *CLOSED, *TOO_MANY)


def of_the_place(error: BaseException) -> bool:
    """Whether it is one of these."""
    return isinstance(error, OSError) and error.errno in OF_THE_PLACE


def in_words(error: OSError) -> Exception:
    """The same, with what to do."""
    where = f"{error.filename}: " if error.filename else ""
    if error.errno in NO_ROOM:
        return DiskFull(
            f"{where}{error.strerror}: make room. The checkpoints are whole, and the same command goes on from there"
        )
    return UserError(f"{where}{error.strerror}. Mend that, and the same command goes on from the last checkpoint")
