#!/usr/bin/env python3
"""A batch system of one machine that answers as Slurm's and HTCondor's programs do, as far as an
agent asks them: a link to this file is named as the program it is to be.

Its jobs are files below FAKE_BATCH. There, a file "hold" keeps new jobs waiting, "down" makes every
program fail, and "held" makes HTCondor hold what is submitted.
"""

import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(os.environ["FAKE_BATCH"])
SLURM = {"waiting": "PENDING", "running": "RUNNING", "completed": "COMPLETED",
         "failed": "FAILED", "removed": "CANCELLED", "held": "PENDING"}
CONDOR = {"waiting": 1, "running": 2, "removed": 3, "completed": 4, "failed": 4, "held": 5}
OVER = ("completed", "failed", "removed")


def job_file(number):
    return ROOT / f"job-{number}.json"


def load(number):
    return json.loads(job_file(number).read_text())


def save(number, job):
    temporary = ROOT / f"new-{os.getpid()}"
    temporary.write_text(json.dumps(job))
    temporary.rename(job_file(number))


def jobs():
    found = {int(path.stem.split("-")[1]): json.loads(path.read_text())
             for path in ROOT.glob("job-*.json")}
    return dict(sorted(found.items()))


def submit(key, script):
    number = len(jobs()) + 1
    state = "held" if (ROOT / "held").exists() else "waiting"
    save(number, {"key": key, "script": script, "state": state})
    subprocess.Popen([sys.executable, os.path.realpath(__file__), "run", str(number)],
                     start_new_session=True, stdin=subprocess.DEVNULL,
                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return number


def run(number):
    """What the system's own daemon does with one job."""
    while load(number)["state"] == "held" or (ROOT / "hold").exists():
        if load(number)["state"] == "removed":
            return
        time.sleep(0.01)
    job = load(number)
    if job["state"] == "removed":
        return
    process = subprocess.Popen([job["script"]], start_new_session=True)
    save(number, job | {"state": "running", "pid": process.pid})
    status = process.wait()
    job = load(number)
    if job["state"] != "removed":
        save(number, job | {"state": "completed" if status == 0 else "failed"})


def remove(number):
    if not job_file(number).exists():
        return False
    job = load(number)
    if job["state"] in OVER:
        return True
    save(number, job | {"state": "removed"})
    if "pid" in job:
        try:
            os.killpg(job["pid"], signal.SIGKILL)
        except ProcessLookupError:
            pass
    return True


def option(arguments, name):
    return next((each.split("=", 1)[1] for each in arguments if each.startswith(name + "=")), None)


def sbatch(arguments):
    print(submit(option(arguments, "--job-name"), arguments[-1]))


def squeue(arguments):
    wanted, name = option(arguments, "--jobs"), option(arguments, "--name")
    if wanted and not job_file(wanted).exists():
        sys.exit("slurm_load_jobs error: Invalid job id specified")
    for number, job in jobs().items():
        if wanted not in (None, str(number)) or name not in (None, job["key"]):
            continue
        print(number if option(arguments, "--format") == "%i" else SLURM[job["state"]])


def sacct(arguments):
    sys.exit("Slurm accounting storage is disabled")


def scancel(arguments):
    if not remove(arguments[-1]):
        sys.exit("scancel: error: Kill job error on job id: Invalid job id specified")


def condor_submit(arguments):
    text = pathlib.Path(arguments[-1]).read_text()
    key = re.search(r'^\+MendelKey = "(.*)"$', text, re.M)[1]
    number = submit(key, re.search(r"^executable = (.*)$", text, re.M)[1])
    print(f"{number}.0 - {number}.0")


def condor_list(arguments, past):
    number = re.fullmatch(r"(\d+)\.0", arguments[0])
    key = re.search(r'MendelKey == "(.*)"', " ".join(arguments))
    for each, job in jobs().items():
        if (job["state"] in OVER) != past or (number and int(number[1]) != each):
            continue
        if key and key[1] != job["key"]:
            continue
        if "ClusterId" in arguments:
            print(each, 0)
        else:
            print(CONDOR[job["state"]],
                  "the disk is full" if job["state"] == "held" else "undefined")


def condor_rm(arguments):
    if not remove(arguments[0].split(".")[0]):
        sys.exit(f"Couldn't find/remove all jobs in cluster {arguments[0]}")


PROGRAMS = {"sbatch": sbatch, "squeue": squeue, "sacct": sacct, "scancel": scancel,
            "condor_submit": condor_submit, "condor_rm": condor_rm,
            "condor_q": lambda arguments: condor_list(arguments, past=False),
            "condor_history": lambda arguments: condor_list(arguments, past=True),
            "run": lambda arguments: run(int(arguments[0]))}


def main():
    name = os.path.basename(sys.argv[0])
    arguments = sys.argv[1:]
    if name not in PROGRAMS:
        name, *arguments = arguments
    if name != "run" and (ROOT / "down").exists():
        sys.exit("cannot reach the controller")
    PROGRAMS[name](arguments)


if __name__ == "__main__":
    main()
