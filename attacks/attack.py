"""What an attack is, and the commands that hostile files are given to.

A family is one file in families/: SOUND (the file whose memory is the measure), SUFFIX, COMMANDS, MEMORY (MiB more
than for the sound file, at most 256) and attacks(sound), which yields Attack objects.
"""
from dataclasses import dataclass, field

MARKER = "marker-of-an-attack"  # hostile programs try to make this file where they are started


@dataclass
class Command:
    name: str
    arguments: tuple
    output: str = ""  # of a success; a failure leaves nothing


@dataclass
class Attack:
    name: str
    data: bytes
    status: object = 65  # or one for each command: {"inspect": 0, "convert": 65}
    says: tuple = ()     # words of the error line
    commands: tuple = ()  # other ones than the family's
    suffix: str = ""

    def status_of(self, command):
        return self.status if isinstance(self.status, int) else self.status[command.name]


INSPECT = Command("inspect", ("inspect", "{file}", "--tensors"))
CONVERT = Command("convert", ("convert", "{file}", "--card", "{sound}/small.yaml", "-o", "o.tflite"), "o.tflite")
EXTRACT = Command("extract", ("extract", "{file}", "--part", "all", "-o", "o.pth"), "o.pth")
CHECKPOINT = (INSPECT, CONVERT, EXTRACT)
DETECT = Command("detect", ("detect", "{file}", "{photo}", "--json"))
EMBED = Command("embed", ("embed", "{file}", "{photo}", "--message", "a8", "-o", "o.png"), "o.png")
CARD = Command("card", ("convert", "{sound}/small.pth", "--card", "{file}", "-o", "o.tflite"), "o.tflite")
READ_PICTURE = Command("detect", ("detect", "{sound}/detector.float32.tflite", "{file}"))
MARK_PICTURE = Command("embed", ("embed", "{sound}/embedder.float32.tflite", "{file}", "--message", "a8", "-o",
                                 "o.png"), "o.png")
REFERENCE = Command("verify", ("verify", "{sound}/detector.float32.tflite", "--reference", "{file}", "--runs", "1"))
