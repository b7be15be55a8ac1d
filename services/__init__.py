"""What people and programs can ask of Weir: queries and commands shared by the API and the screens.

arrivals/   what platforms tell comes in: webhooks, pointers, mailboxes     channels/   bindings, secrets, authorisation
replies/    replies go out once                                             sweeps/     what was missed is fetched
files/      attachments both ways                                           webchat/    our own chat widget
health/     the monitor, incidents, traces, the watchdog                    tuning/     thresholds and their previews
people/     accounts, tokens, permissions                               labels/     subjects and languages

May import streams, connectors, storage and actors; knows neither HTTP nor NiceGUI. One file per subject.
"""
