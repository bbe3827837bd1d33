"""Pictures and videos as streams: read ahead, find, cut out, judge, one result after the other."""

from emopy.streams.pictures import Judge, find_faces, read_pictures, seen_in
from emopy.streams.smooth import Smoother
from emopy.streams.video import Clip, read_frames

__all__ = ["Clip", "Judge", "Smoother", "find_faces", "read_frames", "read_pictures", "seen_in"]
