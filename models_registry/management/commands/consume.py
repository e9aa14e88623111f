"""`manage.py consume`: join a consumer group and take its messages into a project until told to stop."""

from __future__ import annotations

import logging
import os
import signal
import socket
import time
from collections.abc import Sequence
from typing import Any

import redis
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import CommandError, CommandParser
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from models_registry.management.acting import ActingCommand
from ops_portal.errors import UserError
from projects.access import WORK
from projects.messages import Message
from projects.models import DataImport, Project
from projects.redis_streams import RedisStream, without_secrets
from projects.services.consuming import open_stream, say_alive, take_messages

log = logging.getLogger(__name__)

#: What a consumer does unless it is told otherwise.
DEFAULTS = {"consumer": None, "field": "event", "batch": 500, "claim_after": 60.0}
#: Seconds that one look for new messages takes at most, so that a signal or a pause is heeded soon.
LOOK = 1.0
#: Seconds between two signs of life at most; shorter where silence means death sooner.
BEAT = 3.0
#: Seconds between two tries when the database or the stream's server does not answer.
TRIES = (0.2, 0.5, 1.0, 2.0, 5.0)


class Command(ActingCommand):
    """Consumes a Redis stream; prints what came in at the end."""

    help = (
        "Join a consumer group of a Redis stream and take its entries in: an event or a label as JSON, as the API "
        "takes it, in one field of each entry. An entry is acknowledged after it is committed. Start as many as you "
        "like; one that was killed is replaced by starting it again, or by the others."
    )
    right = WORK

    def add_more(self, parser: CommandParser) -> None:
        parser.add_argument("stream", help="Name of the stream.")
        parser.add_argument("--url", required=True, help="Such as redis://127.0.0.1:6379/0 or unix:///run/redis.sock.")
        parser.add_argument("--group", default="ops-portal", help="The consumer group; made where there is none.")
        parser.add_argument("--consumer", help="This consumer's name; host and process number if left out.")
        parser.add_argument("--field", help="The field of an entry that holds the JSON.")
        parser.add_argument("--from", dest="begin", choices=["start", "new"], default="start", help="For a new group.")
        parser.add_argument("--batch", type=int, help="Entries of one transaction at most.")
        parser.add_argument("--claim-after", type=float, metavar="SECONDS", help="See a consumer as dead.")
        parser.add_argument("--idle-exit", type=float, metavar="SECONDS", help="Stop when nothing came for so long.")
        parser.set_defaults(**DEFAULTS)

    def act(self, project: Project, user: User, options: dict[str, Any]) -> None:
        if not 1 <= options["batch"] <= 10_000 or not 0.1 <= options["claim_after"] <= 86_400:
            raise CommandError("--batch is 1 to 10,000 and --claim-after 0.1 to 86,400 seconds.", returncode=2)
        try:
            source = RedisStream(
                options["url"],
                options["stream"],
                group=options["group"],
                consumer=options["consumer"] or f"{socket.gethostname()}-{os.getpid()}",
                field=options["field"],
                from_start=options["begin"] == "start",
                claim_after=options["claim_after"],
            )
        except (redis.RedisError, ValueError) as wrong:
            raise UserError(f"The stream's server cannot be used: {wrong}.") from None
        address = f"{without_secrets(options['url'])} {options['stream']} {options['group']}"
        stream = open_stream(
            project=project,
            actor=user,
            kind=DataImport.Kind.REDIS,
            name=options["stream"],
            address=address,
            now=timezone.now(),
            arguments=_arguments_again(options),
        )
        consumer = Consumer(stream, source, options["batch"], options["idle_exit"])
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, consumer.stop)
        self.stderr.write(f"{source.consumer} consumes {source.title} into {project}. Ctrl-C stops it.")
        try:
            consumer.run()
        finally:
            source.close()
        self.stdout.write(f"{consumer.done:,} entries done.")


class Consumer:
    """The loop: receive, commit, acknowledge."""

    def __init__(self, stream: DataImport, source: RedisStream, batch: int, idle_exit: float | None) -> None:
        self.stream, self.source, self.batch, self.idle_exit = stream, source, batch, idle_exit
        self.done = 0
        self._stopped = False
        self._beat = min(BEAT, settings.CONSUMER_SILENCE_SECONDS / 5)
        self._said = time.monotonic()  # opening the stream was a sign

    def stop(self, *_: object) -> None:
        """Finish the batch in hand, then stop."""
        self._stopped = True

    def run(self) -> None:
        """Consume until stopped, cancelled, or idle for too long."""
        failures, last = 0, time.monotonic()
        while not self._stopped and self._flows():
            try:
                messages = self.source.receive(self.batch, LOOK)
                if messages and self._take(messages):
                    last = time.monotonic()
                failures = 0
            except (redis.ConnectionError, redis.TimeoutError, OperationalError, InterfaceError) as away:
                log.warning("%s: tried again soon", away)
                connection.close_if_unusable_or_obsolete()
                self.source.again()
                self._sleep(TRIES[min(failures, len(TRIES) - 1)])
                failures += 1
            if self.idle_exit is not None and time.monotonic() - last > self.idle_exit:
                return

    def _take(self, messages: Sequence[Message]) -> bool:
        if not take_messages(stream=self.stream, messages=messages, source=self.source.title, now=timezone.now()):
            self.source.again()
            return False
        self._said = time.monotonic()  # with the commit
        self.source.acknowledge(messages)
        self.done += len(messages)
        return True

    def _flows(self) -> bool:
        """Wait while the stream is paused; say whether it was not cancelled."""
        while not self._stopped:
            try:
                self._say_alive()
                self.stream.refresh_from_db(fields=["state"])
            except (OperationalError, InterfaceError):
                connection.close_if_unusable_or_obsolete()
                return True  # taking the next batch tells
            if self.stream.state != DataImport.State.PAUSED:
                return self.stream.state in DataImport.ACTIVE
            self._sleep(LOOK)
        return False

    def _say_alive(self) -> None:
        if time.monotonic() - self._said >= self._beat:
            say_alive(stream=self.stream, now=timezone.now())
            self._said = time.monotonic()

    def _sleep(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._stopped and time.monotonic() < until:
            time.sleep(0.1)


def _arguments_again(options: dict[str, Any]) -> list[str]:
    """The arguments that start such a consumer again, without what is secret, its own name where it was given."""
    url = without_secrets(options["url"])
    if url != options["url"]:
        url = url.replace("://", "://USER:PASSWORD@", 1)
    again = [options["stream"], "--url", url, "--group", options["group"]]
    for name, default in DEFAULTS.items():
        if options[name] != default:
            again += [f"--{name.replace('_', '-')}", str(options[name])]
    return again
