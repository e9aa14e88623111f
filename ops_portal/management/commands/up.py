"""`manage.py up`: migrate, seed the demo once, then run everything until Ctrl-C."""

from __future__ import annotations

import logging
import threading
import time
import urllib.request
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import BaseCommand, CommandError, CommandParser, call_command
from django.urls import reverse
from sesame.utils import get_query_string

from ops_portal import supervisor

#: The account the printed link signs in: owner of the demo team, without a password until it sets one.
FIRST_USER = "owner"


class Command(BaseCommand):
    """Runs web, worker, beat and the bundled broker under one supervisor."""

    help = "Migrate, seed the demo once, and run the portal: web, worker, beat and the bundled broker."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="Address to listen on (default: this machine only).")
        parser.add_argument("--port", type=int, default=8000, help="Port to listen on; the next free one if in use.")
        parser.add_argument("--workers", type=int, default=2, help="Learning processes (default: 2).")
        parser.add_argument("--web-workers", type=int, default=1, help="Web processes (default: 1).")
        parser.add_argument("--no-demo", action="store_true", help="Do not add the demo team.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until Ctrl-C."""
        address = supervisor.running_at()
        if address:
            raise CommandError(f"Ops Portal runs already at {address}. Stop it there with Ctrl-C first.")
        left = supervisor.stop_leftovers()
        if left:
            self.stdout.write(f"Stopped what an earlier start left behind: {', '.join(left)}.")
        host, wanted = options["host"], options["port"]
        try:
            port = supervisor.free_port(host, wanted)
        except OSError as none_free:
            raise CommandError(str(none_free)) from none_free
        if port != wanted:
            self.stdout.write(self.style.WARNING(f"Port {wanted} is in use by another program; using {port}."))
        settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
        # What rings now rings in vain: the broker comes up with everything else, and the sweeper rings again.
        logging.getLogger("projects.doorbell").setLevel(logging.ERROR)
        call_command("migrate", verbosity=0)
        if not options["no_demo"]:
            call_command("seed_demo", owner=FIRST_USER)
        address = f"http://{host}:{port}"
        noted = supervisor.write_address(address)
        threading.Thread(target=self._announce, args=(address,), daemon=True).start()
        processes = supervisor.commands(host, port, workers=options["workers"], web_workers=options["web_workers"])
        try:
            code = supervisor.run(processes)
        finally:
            noted.unlink(missing_ok=True)
        self.stdout.write("Ops Portal has stopped.")
        # Ctrl-C is how one stops it: nothing went wrong then.
        if code not in (0, 130, 143):
            raise CommandError(f"A process ended with code {code}; its last lines are above.", returncode=code)

    def _announce(self, address: str) -> None:
        """Say where to go once the web process answers."""
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                urllib.request.urlopen(f"{address}/health/live", timeout=1)  # noqa: S310 - our own address
            except OSError:
                time.sleep(0.1)
                continue
            break
        user = get_user_model().objects.filter(username=FIRST_USER, is_active=True).first()
        lines = [f"Ops Portal {settings.VERSION} is at {address}/"]
        if user:
            link = f"{address}{reverse('sign_in_by_link')}{get_query_string(user)}"
            lines += [f"Sign in as {FIRST_USER!r} with this link (works once, within 24 hours):", "", f"  {link}", ""]
        else:
            lines += ["Create an account with: python manage.py createsuperuser", ""]
        lines.append("Ctrl-C stops everything.")
        self.stdout.write("\n" + "\n".join(lines) + "\n")
        self.stdout.flush()
