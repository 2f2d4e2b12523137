# %% [markdown]
# # Drift libraries: five of them on the same cards
#
# **Minutes:** 15 · **Prerequisites:** [Monitoring](../08b_monitoring.ipynb) · **Truth:** runs
#
# ## The need
#
# The monitor of the utility should notice when pictures change. The lesson has written its own detectors, a
# few lines each. There are libraries for that: what does each say of cards that did not change, and of three
# sets that did? What does it cost to have it installed, and does it tell anybody that we use it?
#
# ## You will learn
#
# - to watch a stream of cards with **river**, and to compare two sets with **frouros**
# - what Evidently, Alibi Detect and NannyML say of the same cards
# - how often each is wrong about cards that are as usual, with its defaults
# - what each weighs, and whom it calls
#
# River and frouros run here on Linux, Windows and macOS alike. They ask for different versions of NumPy, so
# each has a station of its own; frouros does not run on the newest Pythons. What the other three said was
# recorded.

# %% [markdown]
# ## Where the model sits
#
# It has answered already. The libraries see numbers about each card: of its picture, and of the answer.
#
# ```mermaid
# flowchart LR
#     card["card"] --> model(["Model"])
#     card --> numbers["grey, contrast,<br/>aspect, sharpness"]
#     model --> answers["digits, confidence,<br/>handed on"]
#     numbers --> library{"drift<br/>library"}
#     answers --> library
#     library --> alarm["changed?"]
#     style model fill:#d55e00,color:#fff
# ```
#
# `FAST = False` takes more cards.

# %% tags=["parameters"]
FAST = True

# %% [markdown]
# ## The question
#
# Usual cards as a reference, and four sets: one *same* as the reference, with other writers, and three of the
# tour's changes. A row for each card, with seven statistics; none of them needs the truth.

# %%
import numpy as np

from fsdl_deploy import OnnxReader
from fsdl_deploy.cards import cards
from fsdl_deploy.measuring.table import Table
from fsdl_deploy.monitoring.card_statistics import measure

NAMES = ["grey", "contrast", "aspect", "sharpness", "digits", "confidence", "handed on"]
reader, count = OnnxReader("v2"), 100 if FAST else 400


def rows(number, seed, drift=None):
    """The statistics of so many cards, a row for each."""
    pictures = [card.image for card in cards(number, "typical", seed=seed, drift=drift)]
    statistics = measure(pictures, reader.read(pictures))
    return np.stack([statistics[name] for name in NAMES], axis=1).tolist()


# %% [markdown]
# The mean of each set. Inverted cards have a confidence near zero. Dark ones are read nearly as surely as
# usual ones: a change of the input that is none of the answers.

# %%
reference = rows(3 * count, seed=100)
sets = {"same": rows(count, seed=201)}
sets |= {drift: rows(count, seed=300, drift=drift) for drift in ("inverted", "dark", "new pen")}
question = {"names": NAMES, "reference": reference, "sets": sets}
Table(
    ["set", *NAMES],
    *([name, *np.mean(values, axis=0)] for name, values in {"reference": reference, **sets}.items()),
    formats=["", *[".2f"] * len(NAMES)],
)

# %% [markdown]
# ## River: one card after the other
#
# River learns from streams. Its detectors take one number after the other and say when something changed.
# **ADWIN** keeps a window that grows while all is usual and compares its two halves; **KSWIN** compares the
# newest cards with earlier ones. The program that runs in the station:

# %%
from IPython.display import Code

from fsdl_deploy.paths import ROOT

program = ROOT / "infra" / "monitoring" / "drift_libraries" / "ask.py"
text = program.read_text(encoding="utf-8")
Code(text[text.index("def river") : text.index("def frouros")], language="python")

# %% [markdown]
# It gets the question as JSON and prints what the library says.

# %%
import json
import subprocess

from fsdl_course.setup.stations import ensure


def ask(library, python):
    """What a library says of the question, asked in its station."""
    command = [python, program, library]
    answer = subprocess.run(command, input=json.dumps(question), capture_output=True, text=True, check=True)
    return json.loads(answer.stdout)


# %% [markdown]
# For each set: the detectors that raised an alarm, and after how many cards the first one did.

# %% tags=["station:river"]
streamed = ask("river", ensure("river"))["answers"]
Table(["set", "after", "by"], *([name, a["after"], "; ".join(a["changed"])] for name, a in streamed.items()))

# %% [markdown]
# A detector for streams is quick: it needs no window to be full. In exchange somebody has to choose how
# often it may be wrong: KSWIN's `alpha` is the chance of a false alarm at *each* card, and its default of
# `0.005` would be several alarms a day. The program has `0.0001`.
#
# ## Frouros: one set against another
#
# Frouros has detectors for streams too, and tests that compare two sets. **Kolmogorov and Smirnov's test**
# takes the largest distance between two distributions. It is the test that `scipy.stats.ks_2samp` has in one
# line; what frouros adds is one interface for some twenty detectors.

# %%
Code(text[text.index("def frouros") : text.index("def evidently")], language="python")

# %% [markdown]
# The statistics that it calls changed:

# %% tags=["station:frouros"]
compared = ask("frouros", ensure("frouros"))["answers"]
Table(["set", "changed"], *([name, ", ".join(a["changed"]) or "nothing"] for name, a in compared.items()))

# %% [markdown]
# ## The other three, as recorded
#
# Their pins conflict with each other and with the course, and together they are larger than the course's
# core. So `python infra/monitoring/drift_libraries/record.py` gives each an environment that is thrown away
# afterwards, asks it, and writes down what it said, with a date.

# %%
from fsdl_deploy.measuring import records

record = records.read(program.parent / "recorded.json")
libraries = record["libraries"]
print(record["date"], "on", record["machine"])
columns = ("library", "version", "numpy", "packages", "MiB")
Table(
    [*columns, "import, s of a core"],
    *([*(row[name] for name in columns), row["import"]["processor seconds"]] for row in libraries),
    formats=["", "", "", "", ",.0f", ".1f"],
)

# %% [markdown]
# What each says of the changed sets with its defaults, and of ten sets that did not change. Those tell what
# an alarm is worth: a library that often calls usual cards changed will soon be muted.


# %%
def verdict(answer):
    """Whether a library calls a set changed: by its own verdict, or because a detector raised an alarm."""
    return answer.get("drift", bool(answer["changed"]))


def usual_sets(row):
    return [answer for name, answer in row["answers"].items() if name.startswith("same")]


Table(
    ["library", "same: called changed", "inverted", "dark", "new pen"],
    *(
        [row["library"], f"{sum(map(verdict, usual_sets(row)))} of {len(usual_sets(row))}"]
        + ["changed" if verdict(row["answers"][name]) else "-" for name in ("inverted", "dark", "new pen")]
        for row in libraries
    ),
)

# %% [markdown]
# Statistic by statistic: how many of seven each calls changed.

# %%
Table(
    ["library", "same, the worst of ten", "inverted", "dark", "new pen"],
    *(
        [row["library"], max(len(answer["changed"]) for answer in usual_sets(row))]
        + [len(row["answers"][name]["changed"]) for name in ("inverted", "dark", "new pen")]
        for row in libraries
        if row["library"] != "river"
    ),
)

# %% [markdown]
# Evidently takes another test for large references: a distance, and a fixed threshold of `0.1`. The distance
# of *two hundred usual cards* from the reference is often above it, as the first column counts. And its
# verdict on the whole wants half of the columns changed, so that a change of the light alone is *no* drift:
# both numbers are settings, and both need to be set.
#
# ## Who reports home?
#
# Each was asked while every look-up of a host by Python was noted and refused. What it tried:

# %%
Table(
    ["library", "as it comes", "told to be quiet", "by"],
    *(
        [row["library"]]
        + [", ".join(row[when]) or "nobody" for when in ("hosts", "hosts when told to be quiet")]
        + [" ".join(f"{name}={value}" for name, value in row["quiet by"].items())]
        for row in libraries
    ),
)

# %% [markdown]
# A library that reports its use names no cards. But a monitor sees numbers of customers, and whoever answers
# for these wants to know of every connection, and to have allowed it.
#
# ## When it fails
#
# **It does not install as written.** Evidently's newest release fails at import with pandas 3, and NannyML
# imports a package that it does not ask for. The record's program pins what works
# (`PINS`); so should you.

# %%
text = (program.parent / "record.py").read_text(encoding="utf-8")
Code(text[text.index("PINS") : text.index("QUIET")], language="python")

# %% [markdown]
# **Too few cards.** The usual cards again, cut into pieces of ten. How far is a piece from the reference, and
# how far are the new pen's hundred cards? A distance without the number of cards means little; a p-value has
# it in.

# %%
from scipy.stats import ks_2samp

column = NAMES.index("contrast")
usual, pen = (np.array(part)[:, column] for part in (sets["same"], sets["new pen"]))
base = np.array(reference)[:, column]
far = ks_2samp(pen, base)
pieces = [ks_2samp(usual[start : start + 10], base) for start in range(0, len(usual), 10)]
print(f"new pen: distance {far.statistic:.2f}, p {far.pvalue:.1g}")
largest = max(pieces, key=lambda piece: piece.statistic)
print(f"largest of {len(pieces)} pieces of ten usual cards: {largest.statistic:.2f}, p {largest.pvalue:.1g}")

# %% [markdown]
# **Right about the input, wrong about the harm.** All five call dark cards changed somewhere, and they are;
# `v2` still reads {{drifted(dark, right):.0%}} of them, as against {{drifted(dark, right_before):.0%}} of the
# same cards by daylight. No library can know that: it has not seen what is written.

# %% [markdown]
# ## Questions
#
# **Question:** Your smallest branch reads twenty cards a day. You compare each day with a reference, by a
# distance and a fixed threshold of `0.1`. What do you expect?
#
# <details><summary>Answer</summary>
# Alarms about nothing. The fewer cards, the further usual ones lie from the reference by luck: see the pieces
# of ten. Take a p-value, collect cards until there are enough, or set the threshold from many sets of twenty
# usual cards.
# </details>
#
# **Question:** You read 1,000 cards a day and watch seven statistics with KSWIN. You accept about one false
# alarm a month. Which `alpha` do you start with?
#
# <details><summary>Answer</summary>
# It is the chance at each card, and for each statistic. A month has 1,000 × 30 × 7 = 210,000 of these tests,
# so start near one in 210,000. Neighbouring tests share most of their cards, so try the value on a few weeks
# of usual cards before you trust it.
# </details>
#
# **Question:** Dark cards raise an alarm every winter evening, and nearly as many are read correctly as
# before. Would you switch the alarm off?
#
# <details><summary>Answer</summary>
# No, but it should wake nobody. The input did change, so put it into the morning's report and check a sample
# of these cards against the truth. Keep the calls at night for what customers feel, such as many more cards
# handed on to people.
# </details>

# %% [markdown]
# ## Take-aways
#
# - All find an inverted picture. They differ in what they say of cards that did not change: try that first.
# - A threshold belongs to a number of cards and to a number of false alarms that you can live with. Defaults
#   know neither.
# - River for streams, where each card counts. For two sets `scipy` is enough, unless you want reports.
# - Look at what a library weighs and whom it calls before it goes beside your customers' data.
#
# ## Where to go next
#
# - [Model registry](mlflow_registry.ipynb): which model was it that read these cards?
# - [Monitoring](../08b_monitoring.ipynb): which of these alarms is worth a call at night.
