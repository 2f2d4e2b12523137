# A thin caller of tasks.py, which does the work; without make: python tasks.py lab
# ARGS are its words: make lab ARGS="--no-browser --port 9999"
PYTHON ?= $(shell command -v python3 || command -v python || echo python3)

.PHONY: lab test everything setup course slides site notebooks labs clean lock station

lab test everything setup course slides site notebooks labs:
	@$(PYTHON) tasks.py $@ $(ARGS)

lock:
	@$(PYTHON) tasks.py lock $(NAME) $(ARGS)

clean:
	@$(PYTHON) tasks.py clean $(if $(ALL),--all)

station:
	@$(PYTHON) tasks.py station $(NAME) $(if $(REMOVE),--remove)
