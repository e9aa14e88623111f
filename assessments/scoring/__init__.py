"""What a project should adopt, from its scope and its experts: pure numpy and scipy, no Django, no files, no clock."""
