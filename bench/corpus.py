"""The data of bench/compare_storage: made from a seed, the same on every machine."""

import math
import pathlib
import random

MIB = 1 << 20
CHUNK_BYTES = 64 << 10  # what a change costs is counted in whole chunks of this size

INSERTS = 20
INSERT_BYTES = 1000
OVERWRITES = 3
OVERWRITE_BYTES = 4 * MIB


def write_noise(path, size_bytes, seed):
    """Bytes that nothing compresses, such as float weights nearly are."""
    dice = random.Random(seed)
    with open(path, "wb") as file:
        for _ in range(size_bytes // MIB):
            file.write(dice.randbytes(MIB))
        file.write(dice.randbytes(size_bytes % MIB))


def write_second_version(first, path, seed):
    """The file first with INSERTS short inserts and OVERWRITES overwritten ranges, all at spread
    places. Returns how many bytes changed, in whole chunks."""
    dice = random.Random(seed)
    size_bytes = pathlib.Path(first).stat().st_size
    changes = ["insert"] * INSERTS + ["overwrite"] * OVERWRITES
    dice.shuffle(changes)
    stride = size_bytes // len(changes)
    overwrite_bytes = min(OVERWRITE_BYTES, stride // 2)
    with open(first, "rb") as old, open(path, "wb") as new:
        for number, change in enumerate(changes):
            begin = number * stride
            end = size_bytes if number + 1 == len(changes) else begin + stride
            place = begin + dice.randrange(max(1, end - begin - overwrite_bytes))
            old.seek(begin)
            new.write(old.read(place - begin))
            if change == "insert":
                new.write(dice.randbytes(INSERT_BYTES))
            else:
                new.write(dice.randbytes(overwrite_bytes))
                old.seek(place + overwrite_bytes)
            new.write(old.read(end - old.tell()))
    touched = 1 + math.ceil(overwrite_bytes / CHUNK_BYTES)
    return CHUNK_BYTES * (INSERTS + OVERWRITES * touched)


def write_small_files(folder, count, seed):
    """count files of 0.5 to 8 kB of noise, a thousand in a folder. Returns their bytes."""
    dice = random.Random(seed)
    total_bytes = 0
    for number in range(count):
        place = pathlib.Path(folder, f"{number // 1000:03d}")
        if number % 1000 == 0:
            place.mkdir(parents=True)
        content = dice.randbytes(dice.randrange(500, 8000))
        (place / f"{number:06d}.bin").write_bytes(content)
        total_bytes += len(content)
    return total_bytes


def write_events(folder, file_count, events_per_file, seed):
    """Text files such as generators of events write them (HepMC2-like). Returns their bytes."""
    dice = random.Random(seed)
    pathlib.Path(folder).mkdir(parents=True)
    total_bytes = 0
    for number in range(file_count):
        lines = ["HepMC::Version 2.06.09", "HepMC::IO_GenEvent-START_EVENT_LISTING"]
        for event in range(events_per_file):
            lines += event_lines(dice, event)
        lines += ["HepMC::IO_GenEvent-END_EVENT_LISTING", ""]
        content = "\n".join(lines).encode()
        pathlib.Path(folder, f"evt{number}.mc2").write_bytes(content)
        total_bytes += len(content)
    return total_bytes


def event_lines(dice, event):
    vertices = dice.randrange(20, 60)
    yield f"E {event} -1 -1.0000000000000000e+00 -1.0 -1.0 0 -1 {vertices} 1 2 0 0"
    yield "U MEV MM"
    barcode = 0
    for vertex in range(1, vertices + 1):
        x, y, z = (dice.gauss(0, width) for width in (0.03, 0.03, 40))
        particles = dice.randrange(1, 6)
        yield f"V -{vertex} 0 {x:.16e} {y:.16e} {z:.16e} 0 0 {particles} 0"
        for _ in range(particles):
            barcode += 1
            px, py, pz = dice.gauss(0, 500), dice.gauss(0, 500), dice.expovariate(1 / 2e4)
            mass, pdg = dice.choice(((139.57, 211), (493.677, 321), (0.0, 22), (938.272, 2212)))
            energy = math.sqrt(px * px + py * py + pz * pz + mass * mass)
            yield (f"P {barcode} {dice.choice((1, -1)) * pdg} {px:.16e} {py:.16e} {pz:.16e} "
                   f"{energy:.16e} {mass:.16e} 1 0 0 0 0")
