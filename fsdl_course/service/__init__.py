"""What lesson 03 does to the model service, each under a name: clients, hostile requests, kills, figures"""
