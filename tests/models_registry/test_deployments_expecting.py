"""Two people deploy at the same moment: one is first, the other is told."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from models_registry.models import Deployment, Version
from models_registry.services.deployment import deploy
from models_registry.services.expecting import expecting
from ops_portal.errors import UserError
from projects.models import Project
from tests.models_registry.serving_records import add_model, add_run, add_version, serve


@pytest.mark.django_db(transaction=True)
def test_one_of_two_that_saw_the_same_is_first(project, owner):
    serve(project)
    run = add_run(add_model(project, "another"))
    versions = [add_version(run, position=position) for position in (100, 200, 300, 400)]
    barrier = Barrier(len(versions))

    def try_it(version: Version) -> str:
        try:
            mine = Project.objects.get(pk=project.pk)
            barrier.wait()
            with expecting(mine, 1):
                deploy(project=mine, version=version, actor=owner)
        except UserError as refused:
            return refused.code
        else:
            return "done"
        finally:
            connection.close()

    with ThreadPoolExecutor(len(versions)) as pool:
        outcomes = sorted(pool.map(try_it, versions))
    assert outcomes == ["conflict", "conflict", "conflict", "done"]
    assert Deployment.objects.filter(project=project).count() == 2


@pytest.mark.django_db
def test_expecting_nothing_where_something_serves_and_the_other_way_round(project):
    with pytest.raises(UserError, match="Nothing is deployed here any more"), expecting(project, 3):
        raise AssertionError("not reached")
    serve(project)
    with pytest.raises(UserError, match="Somebody deployed v1"), expecting(project, 0):
        raise AssertionError("not reached")
