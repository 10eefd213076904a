"""A Docker engine as the place where a system runs: what is asked of it, and how an agent gets in there.

engine.py            how the engine is reached; every error of it and of its SDK mapped in one place
containers.py        the containers of a compose project, by the names that experiments use
addresses.py         where a container is reached, by its peers and from here; pure
stream.py            the output and input of a container or a command, over the engine's own connection
shared_network.py    whether a container has its network to itself
helper_container.py  a container of ours beside a target: few rights, small, labelled
agent_image.py       the image of the agent, built on the engine where it is not there
agent_channel.py     an agent in a helper container, which ends with us
command.py           a command in a container, with a time limit that is kept
toxiproxy.py         the control API of a Toxiproxy
links.py             the proxies that stand in front of services
limits.py            what a container may use of CPU and memory
survey.py            what an engine and the kernel under it can do, found out by trying
login.py             how to log in to a container's database
owner.py             who made a helper container, and whether that process still lives
leftovers.py         helper containers that some earlier run left, and their removal

Nothing here is imported before a run on an engine is asked for: the SDK takes a moment to load. Named as the SDK is;
`docker` alone always means the SDK.
"""
