# %% [markdown]
# # TODO: the tool's name: what it is in four words
#
# **Minutes:** 15 · **Prerequisites:** TODO · **Truth:** runs
#
# ## The need
#
# TODO: two sentences of the meter reader's story: who needs what, and why what they had is not enough.
#
# ## You will learn
#
# - TODO: what this tool does that plain Python does not
# - TODO: how the meter reader runs on it
# - TODO: when to choose it, and when not

# %% [markdown]
# ## Where the model sits
#
# TODO: one sentence that says what each box is.
#
# ```mermaid
# flowchart LR
#     customer[Customer] --> tool[TODO: the tool]
#     tool --> model[Model]
# ```

# %% [markdown]
# ## TODO: the first step, one idea
#
# `FAST = False` means longer runs and steadier figures.

# %% tags=["parameters"]
FAST = True

# %% [markdown]
# TODO: why the next cell comes. A cell has at most 15 lines of code.

# %% tags=["nbval-check-output"]
number_of_cards = 20 if FAST else 200
print(f"{number_of_cards} cards")

# %% [markdown]
# ## TODO: the next step
#
# TODO: the tool serves the model; start it with `fsdl_deploy.Server`, which stops it again.

# %% [markdown]
# ## When it fails
#
# TODO: what it costs and where it breaks, measured where it runs here. Say it where it cannot run.

# %% [markdown]
# ## Questions
#
# **Question:** TODO: one that asks for judgement about the reader's own case?
#
# <details><summary>Answer</summary>
# TODO: and why.
# </details>
#
# **Question:** TODO
#
# <details><summary>Answer</summary>
# TODO
# </details>

# %% [markdown]
# ## Take-aways
#
# - TODO
#
# ## Where to go next
#
# - TODO: [the tour](../00_tour.ipynb) shows where this tool stands in the course.
