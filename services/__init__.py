"""What people and programs can ask of Weir: queries and commands shared by the API and the screens.

May import streams, connectors, storage and actors; knows neither HTTP nor NiceGUI. One file per subject.
"""
