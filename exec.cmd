@rem The scripts that start the service use exec, so that a signal reaches it instead of a shell. Windows has none.
@%*
