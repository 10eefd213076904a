"""Inject faults into a running shop, keep placing orders, and say whether order placement held its steady state.

The files, in the order they act on an experiment:

errors.py      one tree of errors, each with its exit code and what to do next
version.py     the version, alone, so that the build reads it without importing anything
words.py       how values are shown in messages, and which word was probably meant
units.py       quantities with their units: durations, rates, percentages, tolerances
metrics.py     the names of measurements, as in orders.p99, and their units
samples.py     how many samples a tolerance needs before it can be judged
model.py       the nouns of an experiment file: typed, frozen; the JSON Schema comes from them
verdict.py     the nouns of a judgement: checks, invariants, evidence, verdict
system.py      the nouns of a system under test: services, sets, third parties, how its records are read
endpoint.py    SERVICE:PORT/PATH, as requests and probes name it → the service, its port and the path
kind.py        the sandboxes that the shop can be brought up in
endpoint.py    SERVICE/PATH as in a user's own requests → the service, its port, the path; pure
cli.py         the commands; no logic; maps errors to exit codes
sandbox_commands.py  the commands below `chaos sandbox`
shipped.py     where the shop, its manifest and the stock experiments are
parse/         YAML text → Experiment; every error with file:line:column and what is allowed
compose_file.py  a user's own compose file → the system under test
systems.py     which system an experiment file is about
validate/      rules over a whole experiment: targets exist, windows fit, metrics can be measured
seed.py        which seed a run uses
plan.py        Experiment + seed → ordered timeline; what `chaos plan` prints
routes.py      which links of the shop go through its proxy in a run
catalogue.py   the faults as text, for `chaos faults`
schema.py      the JSON Schema of experiment files, for editors
doctor.py      what this machine can do, for `chaos doctor`
standby.py     the shop alone, for `chaos sandbox`
stop.py        Ctrl-C and SIGTERM, counted and handed on to what runs in the sandbox
batch.py       several experiments in one command
site.py        where an experiment is played, and what that place offers
run.py         one experiment from its file to its verdict, outside the sandbox: the stages in order
folder.py      the folder of a run, which holds all that is known of it
inside.py      what is started inside the sandbox: the supervisor, and under it the conductor
conduct.py     the conductor: brings the shop up, plays the experiment, heals in `finally`, judges nothing
watchdog.py    a process that outlives the conductor, and heals in its place
watch.py       looks after a run while time passes: live view, abort_if, interruptions
abort.py       whether a sentence of abort_if has been true for as long as it says; pure
inject.py      plays the timeline: journal the intent → inject → is it active? → hold → heal → is it gone?
load/          open-loop traffic in a process of its own → history
observe/       probes at a fixed rate → samples
collect.py     waits for the backlog to drain, then the final reads of the systems of record → files
journal.py     append-only JSON Lines, fsynced before an injection; read again after a crash
registry.py    which runs may have left something, and whether they are alive
heal/          what a dead run left is undone, from its folder: by its watchdog, or by `chaos heal`
judge/         journal + history + samples → verdict per check and phase; pure
reconcile/     history + final reads of the systems of record → invariants; pure
report/        verdict → terminal, JSON, JUnit XML, Markdown, one self-contained HTML page; pure
faults/        one small file per fault
targets/       where the system runs and what a fault may ask of it
agent/         runs inside a target's network namespace; holds packet faults while its stdin is open
"""
