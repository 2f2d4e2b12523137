"""What lesson 02 does to the batch job, each under a name: kills, bad nights, a night by Dagster, a clock"""
