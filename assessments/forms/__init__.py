"""What people send: checked here, with a sentence for each fault, before a service sees it."""
